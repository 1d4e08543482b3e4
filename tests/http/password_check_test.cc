#include "src/http/password_check.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "echo_exporter/web_security.h"
#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

using UserMap = std::map<std::string, std::string>;
using Verdict = PasswordCheck::Verdict;

// Published vectors of crypt_blowfish.
constexpr const char* kUStarU =
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
constexpr const char* kLong =
    "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";

IpAddress ClientNumber(std::uint8_t number) {
  return IpAddress::V4({192, 0, 2, number});
}

class PasswordCheckTest : public testing::Test {
 protected:
  Verdict Check(const UserMap& users, const std::string& user,
                const std::string& password) {
    return check_.Check(UserTable(users), user, password, ClientNumber(1));
  }

  PasswordCheck check_;
};

TEST_F(PasswordCheckTest, KnowsTheKindsOfBcrypt) {
  std::string b(kUStarU);
  std::string y(kUStarU);
  b[2] = 'b';
  y[2] = 'y';
  const UserMap users{{"a", kUStarU}, {"b", b}, {"y", y}, {"long", kLong}};
  for (const char* const user : {"a", "b", "y"}) {
    EXPECT_EQ(Check(users, user, "U*U"), Verdict::kRight) << user;
    EXPECT_EQ(Check(users, user, "U*V"), Verdict::kWrong) << user;
  }
  // Only the first 72 bytes of a password count.
  EXPECT_EQ(Check(users, "long",
                  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"
                  "STUVWXYZ0123456789chars after 72 are ignored"),
            Verdict::kRight);
}

TEST_F(PasswordCheckTest, KnowsTheHashesThatItMakes) {
  const std::string longest(kMaxPasswordBytes, 'a');
  const std::string hash = HashPassword(longest, 4);
  EXPECT_TRUE(hash.starts_with("$2b$04$")) << hash;
  EXPECT_NE(HashPassword(longest, 4), hash);
  EXPECT_EQ(Check({{"a", hash}}, "a", longest), Verdict::kRight);
  EXPECT_EQ(Check({{"a", hash}}, "a", longest.substr(1)), Verdict::kWrong);
}

TEST_F(PasswordCheckTest, RemembersRightPasswordsAlone) {
  const UserMap users{{"a", kUStarU}};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Check(users, "a", "U*U"), Verdict::kRight);
    EXPECT_EQ(Check(users, "a", "wrong"), Verdict::kWrong);
    EXPECT_EQ(Check(users, "b", "U*U"), Verdict::kWrong);
    EXPECT_EQ(Check(users, "", ""), Verdict::kWrong);
  }
}

TEST_F(PasswordCheckTest, ForgetsPasswordsOfOtherHashesAndUsers) {
  ASSERT_EQ(Check(UserMap{{"a", kUStarU}}, "a", "U*U"), Verdict::kRight);
  EXPECT_EQ(Check(UserMap{{"a", kLong}}, "a", "U*U"), Verdict::kWrong);
  EXPECT_EQ(Check(UserMap{{"b", kUStarU}}, "a", "U*U"), Verdict::kWrong);
  EXPECT_EQ(Check(UserMap{{"b", kUStarU}}, "b", "U*U"), Verdict::kRight);
}

TEST_F(PasswordCheckTest, AnswersFromMemoryWhileOthersCompute) {
  std::string costly(kUStarU);
  costly.replace(4, 2, kSanitizers ? "07" : "10");
  ASSERT_EQ(Check(UserMap{{"a", kUStarU}}, "a", "U*U"), Verdict::kRight);
  const UserTable next(UserMap{{"a", kUStarU}, {"b", costly}});
  std::vector<std::thread> guesses;
  std::atomic<int> right = 0;
  for (std::size_t i = 0; i < FairTurns::kMostOfOneClient / 2; ++i) {
    guesses.emplace_back([&, i] {
      if (check_.Check(next, "nobody", std::to_string(i), ClientNumber(2)) ==
          Verdict::kRight) {
        ++right;
      }
    });
  }
  EXPECT_EQ(check_.Check(next, "a", "U*U", ClientNumber(2)), Verdict::kRight);
  for (std::thread& guess : guesses) guess.join();
  EXPECT_EQ(right, 0);
}

}  // namespace
}  // namespace echo_exporter
