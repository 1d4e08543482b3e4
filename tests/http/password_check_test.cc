#include "src/http/password_check.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace echo_exporter {
namespace {

using Users = std::map<std::string, std::string>;
using Verdict = PasswordCheck::Verdict;

// Published vectors of crypt_blowfish.
constexpr const char* kUStarU =
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
constexpr const char* kLong =
    "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";

TEST(PasswordCheckTest, KnowsTheKindsOfBcrypt) {
  std::string b(kUStarU);
  std::string y(kUStarU);
  b[2] = 'b';
  y[2] = 'y';
  PasswordCheck check(
      Users{{"a", kUStarU}, {"b", b}, {"y", y}, {"long", kLong}});
  for (const char* const user : {"a", "b", "y"}) {
    EXPECT_EQ(check.Check(user, "U*U"), Verdict::kRight) << user;
    EXPECT_EQ(check.Check(user, "U*V"), Verdict::kWrong) << user;
  }
  // Only the first 72 bytes of a password count.
  EXPECT_EQ(check.Check("long",
                        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"
                        "STUVWXYZ0123456789chars after 72 are ignored"),
            Verdict::kRight);
}

TEST(PasswordCheckTest, RemembersRightPasswordsAlone) {
  PasswordCheck check(Users{{"a", kUStarU}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(check.Check("a", "U*U"), Verdict::kRight);
    EXPECT_EQ(check.Check("a", "wrong"), Verdict::kWrong);
    EXPECT_EQ(check.Check("b", "U*U"), Verdict::kWrong);
    EXPECT_EQ(check.Check("", ""), Verdict::kWrong);
  }
}

TEST(PasswordCheckTest, AnswersWhileManyGuess) {
  std::string costly(kUStarU);
  costly.replace(4, 2, "10");
  PasswordCheck check(Users{{"a", kUStarU}, {"b", costly}});
  EXPECT_EQ(check.Check("a", "U*U"), Verdict::kRight);
  std::vector<std::thread> guesses;
  std::atomic<int> right = 0;
  for (std::uint32_t i = 0; i < 3 * PasswordCheck::kMaxWaiting; ++i) {
    guesses.emplace_back([&, i] {
      if (check.Check("nobody", std::to_string(i)) == Verdict::kRight) ++right;
    });
  }
  EXPECT_EQ(check.Check("a", "U*U"), Verdict::kRight);
  for (std::thread& guess : guesses) guess.join();
  EXPECT_EQ(right, 0);
}

}  // namespace
}  // namespace echo_exporter
