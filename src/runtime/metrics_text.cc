#include "src/runtime/metrics_text.h"

#include <array>
#include <cstdio>

namespace isolates::internal {
namespace {

void AppendEscaped(std::string& to, std::string_view text, bool label) {
  for (const char letter : text) {
    switch (letter) {
      case '\\':
        to += "\\\\";
        break;
      case '\n':
        to += "\\n";
        break;
      case '"':
        to += label ? "\\\"" : "\"";
        break;
      default:
        to += letter;
    }
  }
}

// Exact: nanoseconds have nine digits behind the point.
std::string Seconds(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%llu.%09llu",
                static_cast<unsigned long long>(nanoseconds / kSecond),
                static_cast<unsigned long long>(nanoseconds % kSecond));
  return text.data();
}

// One bound for each power of four: 64 ns, 256 ns, 1 us and so on, to 69 s.
constexpr std::size_t kFirstBound = 4;
constexpr std::size_t kBoundStep = 8;

template <class Member>
struct Column {
  const char* name;
  const char* type;
  const char* help;
  std::uint64_t Member::* value;
  bool seconds = false;
};

template <class Member, std::size_t kColumns, class LabelsOf>
void AddColumns(MetricsText& text, const std::vector<Member>& all,
                const Column<Member> (&columns)[kColumns], LabelsOf labels_of) {
  for (const Column<Member>& column : columns) {
    text.Begin(column.name, column.type, column.help);
    for (const Member& one : all) {
      labels_of(one, [&](MetricsText::Labels labels) {
        const std::uint64_t value = one.*column.value;
        column.seconds ? text.AddSeconds(labels, value) : text.Add(labels, value);
      });
    }
  }
}

constexpr Column<ThreadCopy> kThreadColumns[] = {
    {"isolates_thread_turns_total", "counter", "Turns that the thread has run.",
     &ThreadCopy::turns},
    {"isolates_thread_busy_seconds_total", "counter", "Time in turns, lingering included.",
     &ThreadCopy::busy, true},
    {"isolates_thread_idle_seconds_total", "counter",
     "Time in which it looked for work, slept, or was a spare.", &ThreadCopy::idle, true},
    {"isolates_thread_parks_total", "counter", "Sleeps without work.", &ThreadCopy::parks},
    {"isolates_thread_wakes_total", "counter", "Sleeps that another thread ended.",
     &ThreadCopy::wakes},
    {"isolates_thread_steals_total", "counter",
     "Turns of isolates that stood in the queue of another place.", &ThreadCopy::steals},
};

constexpr Column<IsolateCopy> kIsolateColumns[] = {
    {"isolates_isolate_turns_total", "counter", "Turns that the isolate has had.",
     &IsolateCopy::turns},
    {"isolates_isolate_events_total", "counter", "Events that it has handled.",
     &IsolateCopy::events},
    {"isolates_isolate_handling_seconds_total", "counter",
     "Time in turns, without what it waited in them.", &IsolateCopy::handling, true},
    {"isolates_isolate_waiting_seconds_total", "counter",
     "Time from being ready to the begin of a turn.", &IsolateCopy::waiting, true},
    {"isolates_isolate_sent_messages_total", "counter", "Messages that it sent.",
     &IsolateCopy::sent},
    {"isolates_isolate_received_messages_total", "counter", "Messages that it received.",
     &IsolateCopy::received},
    {"isolates_isolate_parks_total", "counter", "Sleeps in a turn.", &IsolateCopy::parks},
    {"isolates_isolate_parked_seconds_total", "counter", "Time of these sleeps.",
     &IsolateCopy::parked, true},
    {"isolates_isolate_wakes_total", "counter",
     "Times that it was idle and made ready, or asleep in a turn and woken.", &IsolateCopy::wakes},
    {"isolates_isolate_heap_live_bytes", "gauge",
     "Bytes in live blocks of its heap when they were last looked at.", &IsolateCopy::heap_live},
    {"isolates_isolate_heap_committed_bytes", "gauge",
     "Bytes that its heap had of the system when they were last looked at.",
     &IsolateCopy::heap_committed},
};

constexpr Column<PortCopy> kPortColumns[] = {
    {"isolates_port_received_messages_total", "counter", "Messages that were received.",
     &PortCopy::received},
    {"isolates_port_batches_total", "counter", "Events in which they were handled.",
     &PortCopy::batches},
    {"isolates_port_depth", "gauge", "Messages that waited when the receiver last looked.",
     &PortCopy::depth},
    {"isolates_port_depth_max", "gauge", "The most that it has found waiting.",
     &PortCopy::depth_max},
};

void AddHistograms(MetricsText& text, const StatsCopy& stats, const char* name, const char* help,
                   HistogramCopy HistogramsCopy::* which) {
  text.Begin(name, "histogram", help);
  for (const IsolateCopy& isolate : stats.isolates) {
    if (!isolate.histograms.has_value()) continue;
    text.AddHistogram({{"isolate", isolate.name}, {"id", std::to_string(isolate.id)}},
                      (*isolate.histograms).*which);
  }
  for (const ThreadCopy& thread : stats.threads) {
    const HistogramCopy& shared = thread.histograms.*which;
    if (shared.count == 0) continue;
    text.AddHistogram({{"thread", thread.name}, {"tid", std::to_string(thread.id)}}, shared);
  }
}

void AddStats(MetricsText& text, const StatsCopy& stats) {
  AddColumns(text, stats.threads, kThreadColumns, [](const ThreadCopy& thread, auto add) {
    add({{"thread", thread.name}, {"tid", std::to_string(thread.id)}});
  });
  AddColumns(text, stats.isolates, kIsolateColumns, [](const IsolateCopy& isolate, auto add) {
    add({{"isolate", isolate.name}, {"id", std::to_string(isolate.id)}});
  });
  AddColumns(text, stats.ports, kPortColumns, [](const PortCopy& port, auto add) {
    add({{"port", port.name},
         {"id", std::to_string(port.id)},
         {"isolate_id", std::to_string(port.isolate)}});
  });
  AddHistograms(
      text, stats, "isolates_turn_waiting_seconds",
      "From being ready to the begin of a turn; isolates without a histogram of their own "
      "are in that of the thread.",
      &HistogramsCopy::waiting);
  AddHistograms(text, stats, "isolates_turn_handling_seconds",
                "Length of turns, without what they waited; isolates without a histogram of their "
                "own are in that of the thread.",
                &HistogramsCopy::handling);
}

}  // namespace

void MetricsText::Begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name_).append(" ");
  AppendEscaped(text_, help, /*label=*/false);
  text_.append("\n# TYPE ").append(name_).append(" ").append(type).append("\n");
}

void MetricsText::Add(Labels labels, std::uint64_t value) {
  AddLine("", labels, "", std::to_string(value));
}

void MetricsText::AddSeconds(Labels labels, std::uint64_t nanoseconds) {
  AddLine("", labels, "", Seconds(nanoseconds));
}

void MetricsText::AddHistogram(Labels labels, const HistogramCopy& histogram) {
  std::uint64_t below = 0;
  std::size_t bucket = 0;
  for (std::size_t bound = kFirstBound; bound < histogram.buckets.size(); bound += kBoundStep) {
    while (bucket < bound) below += histogram.buckets[bucket++];
    // All durations of these buckets are whole nanoseconds below the bound.
    AddLine("_bucket", labels, Seconds(StatsHistogram::LowerBound(bound) - 1),
            std::to_string(below));
  }
  AddLine("_bucket", labels, "+Inf", std::to_string(histogram.count));
  AddLine("_sum", labels, "", Seconds(histogram.sum));
  AddLine("_count", labels, "", std::to_string(histogram.count));
}

void MetricsText::AddLine(std::string_view suffix, Labels labels, std::string_view le,
                          std::string_view value) {
  text_.append(name_).append(suffix);
  char before = '{';
  const auto add = [&](std::string_view label, std::string_view label_value) {
    if (label_value.empty()) return;
    text_ += before;
    text_.append(label).append("=\"");
    AppendEscaped(text_, label_value, /*label=*/true);
    text_ += '"';
    before = ',';
  };
  for (const auto& [label, label_value] : labels) add(label, label_value);
  add("le", le);
  if (before == ',') text_ += '}';
  text_.append(" ").append(value).append("\n");
}

std::string MetricsOf(const RuntimeInfo& info, const StatsCopy* stats) {
  MetricsText text;
  const auto add = [&](const char* name, const char* type, const char* help, std::uint64_t value) {
    text.Begin(name, type, help);
    text.Add({}, value);
  };
  add("isolates_started_total", "counter", "Isolates that were started.", info.isolates_started);
  add("isolates_live", "gauge", "Isolates that live now.", info.isolates_live);
  add("isolates_dead_letters_total", "counter", "Messages that were accepted and never received.",
      info.dead_letters);
  add("isolates_stalls_total", "counter",
      "Turns that slept without telling; others went on meanwhile.", info.stalls);
  add("isolates_worker_threads", "gauge", "Worker threads that exist now.", info.threads);
  if (stats != nullptr) AddStats(text, *stats);
  return text.text();
}

}  // namespace isolates::internal
