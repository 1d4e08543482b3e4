#include "src/web/status_pages.h"

#include <algorithm>
#include <utility>

#include "src/base/header_value.h"
#include "src/base/json_writer.h"
#include "src/web/status_page.h"

namespace echo_exporter {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kFirstPairs = 200;             // unless asked for more
constexpr std::size_t kMostRows = 1000;              // of a matrix
constexpr std::size_t kMostAnswerBytes = 8'000'000;  // that are kept

HttpResponse Reject(int status, std::string_view sentence) {
  return {.status = status,
          .content_type = std::string(kJson),
          .body = ErrorJson(sentence)};
}

HttpResponse Reject(const Error& error) {
  return Reject(error.code == ErrorCode::kNotFound ? 404 : 400, error.message);
}

/// Weak: compressed or not, it is the same text.
std::string TagOf(std::string_view text) {
  return "W/\"" + std::to_string(std::hash<std::string_view>()(text)) + "\"";
}

bool HasTag(std::string_view list, std::string_view tag) {
  tag.remove_prefix(2);  // a weak comparison
  while (!list.empty()) {
    std::string_view known = TakeElement(',', &list);
    if (known.starts_with("W/")) known.remove_prefix(2);
    if (known == tag || known == "*") return true;
  }
  return false;
}

/// A page of another site can send a form, but without this header; and a
/// browser says where a request comes from.
bool IsFromOwnPage(const HttpRequest& request) {
  const std::string site = request.Header("Sec-Fetch-Site").value_or("none");
  return request.Header("X-Echo-Exporter") &&
         (site == "same-origin" || site == "none");
}

Result<const PairView*> FindPair(const PairList& list, std::string_view query) {
  const auto wanted = ParsePairQuery(query, 1, /*is_strict=*/true);
  if (!wanted.ok()) return wanted.error();
  const PairQuery& names = wanted.value();
  if (names.group.empty() || names.source.empty() ||
      names.destination.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "The parameters group, source and destination are needed."};
  }
  const auto found = std::ranges::find_if(
      list.pairs, [&](const PairView& pair) { return names.Matches(pair); });
  if (found == list.pairs.end()) {
    return Error{ErrorCode::kNotFound,
                 "There is no such pair of group, source and destination."};
  }
  return &*found;
}

}  // namespace

StatusPages::StatusPages(StatusContent content)
    : content_(std::move(content)), started_(content_.clock->WallNow()) {}

std::shared_ptr<const PairList> StatusPages::FreshList() {
  const SteadyTime now = content_.clock->Now();
  if (!list_ || now - made_ >= kFreshFor) {
    answers_.clear();
    answer_bytes_ = 0;
    list_ = std::make_shared<const PairList>(
        MakePairList(content_.history->Look(), content_.clock->WallNow()));
    made_ = now;
  }
  return list_;
}

HttpResponse StatusPages::Respond(const HttpRequest& request,
                                  std::string_view content_type,
                                  const Make& make) {
  Answer answer;
  {
    // Held while the answer is made, so that it is made once.
    const MutexLock lock(mutex_);
    const auto list = FreshList();
    const std::string key = request.path + "?" + request.query;
    const auto known = answers_.find(key);
    if (known != answers_.end()) {
      answer = known->second;
    } else {
      auto text = make(*list);
      if (!text.ok()) return Reject(text.error());
      answer.tag = TagOf(text.value());
      answer.text =
          std::make_shared<const std::string>(std::move(text).value());
      answer_bytes_ += key.size() + answer.text->size();
      if (answer_bytes_ < kMostAnswerBytes) answers_.emplace(key, answer);
    }
  }
  HttpResponse response{
      .content_type = std::string(content_type),
      .headers = {{"ETag", answer.tag}, {"Cache-Control", "no-cache"}}};
  if (HasTag(request.HeaderList("If-None-Match"), answer.tag)) {
    response.status = 304;
    return response;
  }
  response.write_body = [text = std::move(answer.text)](const TextSink& sink) {
    sink(*text);
  };
  return response;
}

StatusFacts StatusPages::Facts() const {
  return {.started = started_,
          .config = content_.config(),
          .history_bytes = content_.history->MemoryInUse(),
          .extent = content_.history->Extent()};
}

HttpResponse StatusPages::Page(const HttpRequest& request) {
  HttpResponse response = Respond(
      request, "text/html; charset=utf-8",
      [&](const PairList& list) -> Result<std::string> {
        const auto query =
            ParsePairQuery(request.query, kFirstPairs, /*is_strict=*/false);
        return StatusPage(list, query.value(), Facts(), *content_.history);
      });
  response.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
      "'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
      "frame-ancestors 'none'");
  return response;
}

HttpResponse StatusPages::Status(const HttpRequest& request) {
  return Respond(request, kJson, [this](const PairList& list) {
    return Result<std::string>(StatusJson(list, Facts()));
  });
}

HttpResponse StatusPages::Pairs(const HttpRequest& request) {
  return Respond(
      request, kJson, [&](const PairList& list) -> Result<std::string> {
        const auto query =
            ParsePairQuery(request.query, kFirstPairs, /*is_strict=*/true);
        if (!query.ok()) return query.error();
        return PairsJson(list, query.value(), *content_.history);
      });
}

HttpResponse StatusPages::Matrix(const HttpRequest& request) {
  return Respond(
      request, kJson, [&](const PairList& list) -> Result<std::string> {
        const auto query =
            ParsePairQuery(request.query, kMostRows, /*is_strict=*/true);
        if (!query.ok()) return query.error();
        return MatrixJson(list, query.value());
      });
}

HttpResponse StatusPages::Pair(const HttpRequest& request) {
  return Respond(
      request, kJson, [&](const PairList& list) -> Result<std::string> {
        const auto pair = FindPair(list, request.query);
        if (!pair.ok()) return pair.error();
        return PairJson(*pair.value(),
                        content_.timeout_of(*pair.value()->status.labels),
                        *content_.history);
      });
}

HttpResponse StatusPages::Probe(const HttpRequest& request) {
  if (!content_.config()->allow_actions) {
    return Reject(403,
                  "Actions of the status page are disabled by the "
                  "configuration (web.allow_actions).");
  }
  if (!IsFromOwnPage(request)) {
    return Reject(403,
                  "This needs the header X-Echo-Exporter, and cannot come from "
                  "the page of another site.");
  }
  std::shared_ptr<const PairList> list;
  {
    const MutexLock lock(mutex_);
    list = FreshList();
  }
  const auto pair = FindPair(*list, request.query);
  if (!pair.ok()) return Reject(pair.error());
  HttpResponse response =
      content_.probe_pair(request, *pair.value()->status.labels);
  if (response.content_type == kJson) return response;
  // Its last character is a line feed.
  if (!response.body.empty()) response.body.pop_back();
  response.body = ErrorJson(response.body);
  response.content_type = kJson;
  return response;
}

}  // namespace echo_exporter
