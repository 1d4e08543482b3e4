#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/http_server.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/pair_history.h"
#include "echo_exporter/result.h"
#include "src/base/mutex.h"
#include "src/web/pair_list.h"
#include "src/web/status_json.h"

namespace echo_exporter {

/// What the status page is about. All of it must stay valid until the server is
/// destroyed; the functions are called on several threads at once.
struct StatusContent {
  const Clock* clock = nullptr;
  PairHistory* history = nullptr;
  std::function<std::shared_ptr<const ExporterConfig>()> config;
  /// Of the echo requests of a pair; absent: it has just ended.
  std::function<std::optional<Nanoseconds>(const PairLabels&)> timeout_of =
      nullptr;
  /// Sends one echo request as the pair's are, under the rules of /probe, and
  /// waits. Responds with JSON, or with an error as text.
  std::function<HttpResponse(const HttpRequest&, const PairLabels&)>
      probe_pair = nullptr;
};

/// Responds to requests for the status page and for the JSON behind it.
/// Whoever asks how often, pairs are looked at once in kFreshFor, and equal
/// requests get the same response.
///
/// Thread-safe.
class StatusPages {
 public:
  static constexpr Nanoseconds kFreshFor = std::chrono::seconds(2);

  explicit StatusPages(StatusContent content);

  HttpResponse Page(const HttpRequest& request);
  HttpResponse Status(const HttpRequest& request);
  HttpResponse Pairs(const HttpRequest& request);
  HttpResponse Pair(const HttpRequest& request);
  HttpResponse Matrix(const HttpRequest& request);
  /// Of a POST.
  HttpResponse Probe(const HttpRequest& request);

 private:
  struct Answer {
    std::shared_ptr<const std::string> text;
    std::string tag;
  };
  /// The text of a response; the error becomes one of JSON.
  using Make = std::function<Result<std::string>(const PairList&)>;

  HttpResponse Respond(const HttpRequest& request,
                       std::string_view content_type, const Make& make);
  std::shared_ptr<const PairList> FreshList() REQUIRES(mutex_);
  StatusFacts Facts() const;

  const StatusContent content_;
  const WallTime started_;

  Mutex mutex_;
  SteadyTime made_ GUARDED_BY(mutex_);
  std::shared_ptr<const PairList> list_ GUARDED_BY(mutex_);  ///< null: none yet
  /// Made from `list_`, by path and query.
  std::map<std::string, Answer> answers_ GUARDED_BY(mutex_);
  std::size_t answer_bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter
