#include "src/web/status_json.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "echo_exporter/version.h"
#include "src/base/duration.h"
#include "src/base/json_writer.h"
#include "src/base/log.h"

namespace echo_exporter {
namespace {

// Of a response with a matrix: what a browser still draws.
constexpr std::size_t kMostCells = 50'000;

std::optional<std::string> TextOf(const std::optional<IpAddress>& address) {
  if (!address) return std::nullopt;
  return address->ToString();
}

std::optional<IpAddress> DestinationOf(const PairView& pair) {
  if (!pair.status.route) return std::nullopt;
  return pair.status.route->destination;
}

std::optional<std::string> NameOf(const std::optional<EchoOutcome>& outcome) {
  if (!outcome) return std::nullopt;
  return std::string(EchoOutcomeName(*outcome));
}

void WriteCounts(const StateCounts& counts, JsonWriter& json) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    json.Field(NameOf(static_cast<PairState>(i)), counts[i]);
  }
}

void WritePair(const PairView& pair, JsonWriter& json) {
  const PairLabels& labels = *pair.status.labels;
  const auto& route = pair.status.route;
  json.Field("group", labels.group)
      .Field("source", labels.source)
      .Field("destination", labels.destination)
      .Key("labels")
      .Begin('{');
  for (const auto& [name, value] : labels.extra) json.Field(name, value);
  json.End('}')
      .Field("source_address",
             TextOf(route ? route->source : std::optional<IpAddress>()))
      .Field("destination_address", TextOf(DestinationOf(pair)))
      .Field("state", NameOf(pair.state))
      .Field("state_since", FormatLogTime(pair.since))
      .Field("last_outcome", NameOf(pair.status.statistics.last_outcome))
      .Field("consecutive_failures",
             pair.status.statistics.consecutive_failures)
      .Field("loss_1m", pair.loss_1m)
      .Field("loss_10m", pair.loss_10m)
      .Field("loss_1h", pair.loss_1h)
      .Field("rtt_median_seconds", pair.rtt_median)
      .Field("rtt_p99_seconds", pair.rtt_p99);
}

void WriteSpark(const Spark& spark, JsonWriter& json) {
  json.Key("spark")
      .Begin('{')
      .Field("max", std::optional(spark.max))
      .Field("rtt", spark.rtt)
      .Field("lost", spark.lost)
      .End('}');
}

/// The token for what comes after `end` of `total`.
void WriteNext(std::size_t end, std::size_t total, JsonWriter& json) {
  json.Field("total", total)
      .Field("next",
             end < total ? std::optional(std::to_string(end)) : std::nullopt);
}

void WriteSeries(std::string_view name, const HistorySeries& series,
                 JsonWriter& json) {
  const auto begin = std::chrono::duration_cast<std::chrono::seconds>(
      series.begin.time_since_epoch());
  const auto step =
      std::chrono::duration_cast<std::chrono::seconds>(series.step);
  json.Key(name).Begin('{');
  json.Field("start", begin.count()).Field("step", step.count());
  const auto column = [&](std::string_view key, auto member, auto... digits) {
    json.Key(key).Begin('[');
    for (const HistoryCell& cell : series.cells) {
      json.Value(cell.*member, digits...);
    }
    json.End(']');
  };
  column("sent", &HistoryCell::sent);
  column("lost", &HistoryCell::lost);
  column("min", &HistoryCell::min, 4);
  column("median", &HistoryCell::median, 4);
  column("p99", &HistoryCell::p99, 4);
  json.End('}');
}

void WriteOutage(const PairOutage& outage, const PairView& pair,
                 JsonWriter& json) {
  std::optional<std::string> end;
  std::uint64_t losses = pair.status.statistics.consecutive_failures;
  if (outage.length) {
    end = FormatLogTime(
        outage.begin +
        std::chrono::duration_cast<WallTime::duration>(*outage.length));
    losses = outage.losses;
  }
  json.Begin('{')
      .Field("start", FormatLogTime(outage.begin))
      .Field("end", end)
      .Field("lost", losses)
      .Field("outcome", EchoOutcomeName(outage.outcome))
      .End('}');
}

struct MatrixRow {
  const PairView* first;  ///< says what row it is
  /// By source; of a destination one pair each, as is usual.
  std::map<std::size_t, std::vector<const PairView*>> cells{};
};

std::optional<double> MedianOf(std::vector<double>* numbers) {
  if (numbers->empty()) return std::nullopt;
  const auto middle =
      numbers->begin() + static_cast<std::ptrdiff_t>(numbers->size() - 1) / 2;
  std::ranges::nth_element(*numbers, middle);
  return *middle;
}

void WriteCell(const std::vector<const PairView*>& pairs, bool with_counts,
               JsonWriter& json) {
  std::vector<double> milliseconds;
  std::vector<double> ratios;
  const PairView* worst = pairs.front();
  std::size_t bad = 0;
  for (const PairView* const pair : pairs) {
    if (IsWorse(*pair, *worst)) worst = pair;
    if (pair->state != PairState::kUp) ++bad;
    if (!pair->rtt_median) continue;
    milliseconds.push_back(*pair->rtt_median * 1000);
    if (pair->rtt_usual) ratios.push_back(*pair->rtt_median / *pair->rtt_usual);
  }
  json.Begin('[')
      .Value(static_cast<int>(worst->state))
      .Value(worst->loss_10m)
      .Value(MedianOf(&milliseconds))
      .Value(MedianOf(&ratios), 2);
  if (with_counts) json.Value(pairs.size()).Value(bad);
  json.End(']');
}

void WriteRow(const MatrixRow& row, std::size_t sources, bool is_group,
              JsonWriter& json) {
  const PairLabels& labels = *row.first->status.labels;
  json.Begin('{').Field("group", labels.group);
  if (!is_group) {
    const std::string label(AddressLabelOf(labels));
    json.Field("destination", labels.destination)
        .Field("address", TextOf(DestinationOf(*row.first)))
        .Field("address_label",
               label.empty() ? std::nullopt : std::optional(label));
  }
  json.Key("cells").Begin('[');
  for (std::size_t source = 0; source < sources; ++source) {
    const auto cell = row.cells.find(source);
    if (cell == row.cells.end()) {
      json.Null();
    } else {
      WriteCell(cell->second, is_group, json);
    }
  }
  json.End(']').End('}');
}

}  // namespace

Spark MakeSpark(const PairHour& hour) {
  Spark spark;
  for (const HistoryCell& minute : hour) {
    spark.max = std::max(spark.max, minute.median.value_or(0));
  }
  for (const HistoryCell& minute : hour) {
    spark.rtt += minute.median
                     ? Spark::kLevels[static_cast<std::size_t>(
                           std::lround(*minute.median / spark.max * 63))]
                     : ' ';
    spark.lost += minute.sent == 0
                      ? ' '
                      : static_cast<char>('0' + std::min(9U, (minute.lost * 10 +
                                                              minute.sent - 1) /
                                                                 minute.sent));
  }
  return spark;
}

std::string HistoryNote(const StatusFacts& facts) {
  if (facts.config->history_memory == 0) {
    return "No history is kept ([history] memory = \"0\"): there are no "
           "losses, round-trip times, graphs and failures here, and no pair is "
           "lossy. What is down and unresolved is known.";
  }
  if (!facts.is_shortened()) return "";
  const auto text = [](Nanoseconds time) {
    using std::chrono::minutes;
    return std::to_string(std::chrono::duration_cast<minutes>(time).count()) +
           " min in steps of ";
  };
  return "The history is shortened to " + text(facts.extent.fine) +
         "10 s and " + text(facts.extent.coarse) +
         "5 min, because pairs are many ([history] memory).";
}

std::string StatusJson(const PairList& list, const StatusFacts& facts) {
  constexpr std::array<std::string_view, 3> kKinds = {"source", "destination",
                                                      "group"};
  const std::string note = HistoryNote(facts);
  std::string text;
  JsonWriter json(&text);
  json.Begin('{')
      .Field("version", kVersion)
      .Field("time", FormatLogTime(list.time))
      .Field("start_time", FormatLogTime(facts.started))
      .Key("counts")
      .Begin('{');
  WriteCounts(list.counts, json);
  json.End('}')
      .Field("lossy_threshold", std::optional(facts.config->history_lossy))
      .Field("allow_actions",
             facts.config->allow_actions && facts.config->probe.enabled)
      .Key("groups")
      .Begin('[');
  for (const GroupCounts& group : list.groups) {
    json.Begin('{').Field("name", group.name);
    WriteCounts(group.counts, json);
    json.End('}');
  }
  json.End(']').Key("verdicts").Begin('[');
  for (const Verdict& verdict : list.verdicts) {
    json.Begin('{')
        .Field("kind", kKinds[static_cast<std::size_t>(verdict.kind)])
        .Field("name", verdict.name)
        .Field("text", verdict.text)
        .Field("since", FormatLogTime(verdict.since))
        .Field("pairs", verdict.pairs)
        .End('}');
  }
  const auto seconds = [](Nanoseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
  };
  json.End(']')
      .Key("history")
      .Begin('{')
      .Field("fine_step", seconds(PairHistory::kFineStep))
      .Field("fine_seconds", seconds(facts.extent.fine))
      .Field("coarse_step", seconds(PairHistory::kCoarseStep))
      .Field("coarse_seconds", seconds(facts.extent.coarse))
      .Field("shortened", facts.is_shortened())
      .Field("note", note.empty() ? std::nullopt : std::optional(note))
      .Field("memory_bytes", facts.config->history_memory)
      .Field("used_bytes", facts.history_bytes)
      .End('}')
      .End('}');
  return text;
}

std::string PairsJson(const PairList& list, const PairQuery& query,
                      PairHistory& history) {
  const std::vector<const PairView*> selected = Select(list, query);
  const std::size_t begin = std::min(query.after, selected.size());
  const std::size_t end =
      begin + std::min(query.limit, selected.size() - begin);
  std::vector<PairId> ids;
  for (std::size_t i = begin; i < end; ++i) {
    ids.push_back(selected[i]->status.id);
  }
  const std::vector<PairHour> hours = history.LastHours(ids);
  std::string text;
  JsonWriter json(&text);
  json.Begin('{').Key("pairs").Begin('[');
  for (std::size_t i = begin; i < end; ++i) {
    json.Begin('{');
    WritePair(*selected[i], json);
    WriteSpark(MakeSpark(hours[i - begin]), json);
    json.End('}');
  }
  json.End(']');
  WriteNext(end, selected.size(), json);
  json.End('}');
  return text;
}

std::string PairJson(const PairView& pair,
                     const std::optional<Nanoseconds>& timeout,
                     PairHistory& history) {
  const auto seconds = [](const Nanoseconds& time) {
    return std::optional(ToSeconds(time));
  };
  const PairRecord record =
      history.RecordOf(pair.status.id).value_or(PairRecord());
  std::string text;
  JsonWriter json(&text);
  json.Begin('{');
  WritePair(pair, json);
  json.Field("interval_seconds", seconds(pair.status.interval), 9)
      .Field("timeout_seconds", timeout ? seconds(*timeout) : std::nullopt, 9)
      .Key("ttl");
  const auto ttl = pair.status.statistics.reply_ttl;
  ttl ? json.Value(static_cast<int>(*ttl)) : json.Null();
  json.Key("outages").Begin('[');
  for (const PairOutage& outage : record.outages) {
    WriteOutage(outage, pair, json);
  }
  json.End(']').Key("failures").Begin('[');
  for (const PairFailure& failure : record.failures) {
    json.Begin('{')
        .Field("time", FormatLogTime(failure.sent))
        .Field("outcome", EchoOutcomeName(failure.outcome))
        .Field("responder", TextOf(failure.responder))
        .End('}');
  }
  json.End(']').Key("history").Begin('{');
  WriteSeries("fine", record.fine, json);
  WriteSeries("coarse", record.coarse, json);
  json.End('}').End('}');
  return text;
}

std::string MatrixJson(const PairList& list, const PairQuery& query) {
  using RowName = std::array<std::string_view, 3>;
  std::map<RowName, std::size_t> places;
  std::vector<MatrixRow> rows;
  std::map<std::string_view, std::size_t> columns;
  std::vector<std::string_view> sources;
  // A state selects whole rows.
  PairQuery any_state = query;
  any_state.states.fill(true);
  for (const PairView& pair : list.pairs) {
    if (!any_state.Matches(pair)) continue;
    const PairLabels& labels = *pair.status.labels;
    RowName name{labels.group};
    if (!query.by_group) {
      name = {labels.group, labels.destination, AddressLabelOf(labels)};
    }
    const auto [row, is_new] = places.try_emplace(name, rows.size());
    if (is_new) rows.push_back({&pair});
    const auto column =
        columns.try_emplace(labels.source, columns.size()).first;
    if (column->second == sources.size()) sources.push_back(labels.source);
    rows[row->second].cells[column->second].push_back(&pair);
  }
  std::erase_if(rows, [&query](const MatrixRow& row) {
    return std::ranges::none_of(row.cells, [&query](const auto& cell) {
      return std::ranges::any_of(cell.second, [&query](const PairView* pair) {
        return query.Matches(*pair);
      });
    });
  });
  const std::size_t begin = std::min(query.after, rows.size());
  const std::size_t most = kMostCells / (sources.size() + 1) + 1;
  const std::size_t end =
      begin + std::min({query.limit, most, rows.size() - begin});
  std::string text;
  JsonWriter json(&text);
  json.Begin('{').Key("sources").Begin('[');
  for (const std::string_view source : sources) json.Value(source);
  json.End(']').Key("rows").Begin('[');
  for (std::size_t i = begin; i < end; ++i) {
    WriteRow(rows[i], sources.size(), query.by_group, json);
  }
  json.End(']');
  WriteNext(end, rows.size(), json);
  json.End('}');
  return text;
}

std::string ErrorJson(std::string_view sentence) {
  std::string text;
  JsonWriter(&text).Begin('{').Field("error", sentence).End('}');
  return text;
}

}  // namespace echo_exporter
