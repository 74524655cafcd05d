#include "tools/top/page.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

namespace isolates::top {
namespace {

using internal::HistogramsCopy;
using internal::IsolateCopy;
using internal::PortCopy;
using internal::ThreadCopy;

constexpr std::size_t kNameWidth = 20;

template <class Entry>
std::map<std::uint64_t, const Entry*> ById(const std::vector<Entry>& entries) {
  std::map<std::uint64_t, const Entry*> by_id;
  for (const Entry& entry : entries) by_id[entry.id] = &entry;
  return by_id;
}

// With so many digits behind the point.
std::string Print(double value, int digits) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string Right(std::string text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

// A line of cells, the first ones to the left.
class Line {
 public:
  Line& Left(std::string_view text, std::size_t width) {
    text_ += Fit(text, width) + " ";
    return *this;
  }
  Line& Cell(std::string text, std::size_t width) {
    text_ += Right(std::move(text), width) + " ";
    return *this;
  }
  std::string Take() {
    text_.erase(text_.find_last_not_of(' ') + 1);
    return std::move(text_);
  }

 private:
  std::string text_;
};

// Between two looks at the same counter.
class Rates {
 public:
  explicit Rates(std::uint64_t nanoseconds)
      : seconds_(static_cast<double>(std::max<std::uint64_t>(nanoseconds, 1)) / 1e9) {}

  static std::uint64_t Change(std::uint64_t before, std::uint64_t now) {
    return now > before ? now - before : 0;
  }
  std::string PerSecond(std::uint64_t before, std::uint64_t now) const {
    return FormatCount(static_cast<double>(Change(before, now)) / seconds_);
  }
  std::string Percent(std::uint64_t before, std::uint64_t now) const {
    return Print(std::min(100.0, static_cast<double>(Change(before, now)) / 1e7 / seconds_), 1);
  }

 private:
  double seconds_;
};

const char* StateName(std::uint64_t state) {
  switch (state) {
    case internal::kStatsRuns:
      return "runs";
    case internal::kStatsSearches:
      return "searches";
    case internal::kStatsParked:
      return "sleeps";
    case internal::kStatsSpare:
      return "spare";
    default:
      return "outside";
  }
}

// A turn that runs is counted when it ends; here it counts as far as it has come.
std::uint64_t WithTurn(const Look& look, std::uint64_t counted, std::uint64_t turn_began) {
  const bool comparable = look.stats.clock == 0 && turn_began != 0 && look.time > turn_began;
  return counted + (comparable ? look.time - turn_began : 0);
}

std::string Quantiles(const HistogramsCopy* before, const HistogramsCopy* now,
                      internal::HistogramCopy HistogramsCopy::*which, double share) {
  if (now == nullptr) return "-";
  const auto change = before != nullptr ? (now->*which).Since(before->*which) : now->*which;
  return change.count == 0 ? "-" : FormatDuration(change.Quantile(share));
}

const HistogramsCopy* HistogramsOf(const IsolateCopy* isolate) {
  return isolate != nullptr && isolate->histograms.has_value() ? &*isolate->histograms : nullptr;
}

struct IsolateRow {
  const IsolateCopy* now;
  const IsolateCopy* before;
  std::string name;
  std::uint64_t busy_before;
  std::uint64_t busy_now;
  const HistogramsCopy* histograms_before;
  const HistogramsCopy* histograms_now;

  std::uint64_t busy() const { return Rates::Change(busy_before, busy_now); }
};

void AddThreads(std::vector<std::string>& lines, const Look& before, const Look& now,
                const Rates& rates) {
  lines.push_back(Line()
                      .Left("THREAD", 16)
                      .Left("STATE", 8)
                      .Left("ISOLATE", kNameWidth)
                      .Cell("BUSY%", 6)
                      .Cell("TURNS/S", 8)
                      .Cell("PARKS/S", 8)
                      .Cell("WAKES/S", 8)
                      .Cell("STEALS/S", 8)
                      .Take());
  const auto earlier = ById(before.stats.threads);
  const auto isolates = ById(now.stats.isolates);
  for (const ThreadCopy& thread : now.stats.threads) {
    const auto found = earlier.find(thread.id);
    const ThreadCopy none;
    const ThreadCopy& old = found != earlier.end() ? *found->second : none;
    const auto isolate = isolates.find(thread.isolate);
    lines.push_back(Line()
                        .Left(thread.name, 16)
                        .Left(StateName(thread.state), 8)
                        .Left(isolate != isolates.end() ? isolate->second->name
                              : thread.isolate != 0     ? std::to_string(thread.isolate)
                                                        : "",
                              kNameWidth)
                        .Cell(rates.Percent(WithTurn(before, old.busy, old.turn_began),
                                            WithTurn(now, thread.busy, thread.turn_began)),
                              6)
                        .Cell(rates.PerSecond(old.turns, thread.turns), 8)
                        .Cell(rates.PerSecond(old.parks, thread.parks), 8)
                        .Cell(rates.PerSecond(old.wakes, thread.wakes), 8)
                        .Cell(rates.PerSecond(old.steals, thread.steals), 8)
                        .Take());
  }
}

std::vector<IsolateRow> IsolateRows(const Look& before, const Look& now) {
  std::vector<IsolateRow> rows;
  const auto earlier = ById(before.stats.isolates);
  for (const IsolateCopy& isolate : now.stats.isolates) {
    const auto found = earlier.find(isolate.id);
    const IsolateCopy* const old = found != earlier.end() ? found->second : nullptr;
    rows.push_back({&isolate, old, isolate.name,
                    old != nullptr ? WithTurn(before, old->handling, old->turn_began) : 0,
                    WithTurn(now, isolate.handling, isolate.turn_began), HistogramsOf(old),
                    HistogramsOf(&isolate)});
  }
  const auto threads = ById(before.stats.threads);
  for (const ThreadCopy& thread : now.stats.threads) {
    if (thread.others.turns == 0) continue;
    const auto found = threads.find(thread.id);
    const ThreadCopy* const old = found != threads.end() ? found->second : nullptr;
    rows.push_back({&thread.others, old != nullptr ? &old->others : nullptr,
                    "(others, " + thread.name + ")", old != nullptr ? old->others.handling : 0,
                    thread.others.handling, old != nullptr ? &old->histograms : nullptr,
                    &thread.histograms});
  }
  std::sort(rows.begin(), rows.end(), [](const IsolateRow& a, const IsolateRow& b) {
    return std::pair(b.busy(), a.now->id) < std::pair(a.busy(), b.now->id);
  });
  return rows;
}

void AddIsolates(std::vector<std::string>& lines, const Look& before, const Look& now,
                 const Rates& rates) {
  lines.push_back(Line()
                      .Left("ISOLATE", kNameWidth)
                      .Cell("ID", 6)
                      .Cell("BUSY%", 6)
                      .Cell("TURNS/S", 8)
                      .Cell("RECV/S", 8)
                      .Cell("SENT/S", 8)
                      .Cell("RECEIVED", 9)
                      .Cell("WAIT50", 7)
                      .Cell("WAIT99", 7)
                      .Cell("TURN50", 7)
                      .Cell("TURN99", 7)
                      .Cell("HEAP", 7)
                      .Take());
  for (const IsolateRow& row : IsolateRows(before, now)) {
    const IsolateCopy none;
    const IsolateCopy& old = row.before != nullptr ? *row.before : none;
    const auto quantile = [&](internal::HistogramCopy HistogramsCopy::*which, double share) {
      return Quantiles(row.histograms_before, row.histograms_now, which, share);
    };
    lines.push_back(Line()
                        .Left(row.name, kNameWidth)
                        .Cell(row.now->id != 0 ? std::to_string(row.now->id) : "", 6)
                        .Cell(rates.Percent(row.busy_before, row.busy_now), 6)
                        .Cell(rates.PerSecond(old.turns, row.now->turns), 8)
                        .Cell(rates.PerSecond(old.received, row.now->received), 8)
                        .Cell(rates.PerSecond(old.sent, row.now->sent), 8)
                        .Cell(std::to_string(row.now->received), 9)
                        .Cell(quantile(&HistogramsCopy::waiting, 0.5), 7)
                        .Cell(quantile(&HistogramsCopy::waiting, 0.99), 7)
                        .Cell(quantile(&HistogramsCopy::handling, 0.5), 7)
                        .Cell(quantile(&HistogramsCopy::handling, 0.99), 7)
                        .Cell(row.now->heap_time != 0
                                  ? FormatCount(static_cast<double>(row.now->heap_live)) + "B"
                                  : "-",
                              7)
                        .Take());
  }
}

void AddPorts(std::vector<std::string>& lines, const Look& before, const Look& now,
              const Rates& rates) {
  lines.push_back(Line()
                      .Left("PORT", kNameWidth)
                      .Cell("ID", 6)
                      .Left("ISOLATE", kNameWidth)
                      .Cell("DEPTH", 7)
                      .Cell("MOST", 7)
                      .Cell("RECV/S", 8)
                      .Cell("RECEIVED", 9)
                      .Take());
  const auto earlier = ById(before.stats.ports);
  const auto isolates = ById(now.stats.isolates);
  std::vector<const PortCopy*> ports;
  for (const PortCopy& port : now.stats.ports) ports.push_back(&port);
  std::sort(ports.begin(), ports.end(), [](const PortCopy* a, const PortCopy* b) {
    return std::pair(b->depth, a->id) < std::pair(a->depth, b->id);
  });
  for (const PortCopy* const port : ports) {
    const auto found = earlier.find(port->id);
    const auto isolate = isolates.find(port->isolate);
    lines.push_back(Line()
                        .Left(port->name.empty() ? "(no name)" : port->name, kNameWidth)
                        .Cell(std::to_string(port->id), 6)
                        .Left(isolate != isolates.end() ? isolate->second->name
                                                        : std::to_string(port->isolate),
                              kNameWidth)
                        .Cell(std::to_string(port->depth), 7)
                        .Cell(std::to_string(port->depth_max), 7)
                        .Cell(rates.PerSecond(
                                  found != earlier.end() ? found->second->received : 0,
                                  port->received),
                              8)
                        .Cell(std::to_string(port->received), 9)
                        .Take());
  }
}

}  // namespace

std::string FormatDuration(std::uint64_t nanoseconds) {
  const auto value = static_cast<double>(nanoseconds);
  const auto three_digits = [](double amount, const char* unit) {
    return Print(amount, amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0) + unit;
  };
  if (nanoseconds < 1000) return std::to_string(nanoseconds) + "ns";
  if (value < 999.5e3) return three_digits(value / 1e3, "us");
  if (value < 999.5e6) return three_digits(value / 1e6, "ms");
  if (value < 99.5e9) return three_digits(value / 1e9, "s");
  const std::uint64_t seconds = nanoseconds / 1'000'000'000;
  if (seconds < 3600) {
    return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) + "s";
  }
  return std::to_string(seconds / 3600) + "h" + std::to_string(seconds / 60 % 60) + "m";
}

std::string FormatCount(double count) {
  for (const char* const unit : {"", "k", "M", "G", "T"}) {
    if (count < 999.5 || *unit == 'T') {
      const bool whole = *unit == '\0' && count >= 9.995;
      const int digits = count == 0 || whole || count >= 99.95 ? 0 : count >= 9.995 ? 1 : 2;
      return Print(count, digits) + unit;
    }
    count /= 1000;
  }
  return "";
}

std::string Fit(std::string_view text, std::size_t width) {
  std::size_t letters = 0;
  std::size_t bytes = 0;
  for (; bytes < text.size(); ++bytes) {
    if ((static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) continue;
    if (letters == width) break;
    ++letters;
  }
  return std::string(text.substr(0, bytes)) + std::string(width - letters, ' ');
}

std::vector<std::string> FormatPage(const Look& before, const Look& now, bool gone) {
  const internal::StatsCopy& stats = now.stats;
  const Rates rates(now.time - before.time);
  std::vector<std::string> lines;
  std::string title = "isolates-top: " + stats.program + " (" + std::to_string(stats.pid) + ")";
  if (gone) {
    title += ", has ended";
  } else if (stats.clock == 0 && now.time > stats.started_time) {
    title += ", up " + FormatDuration(now.time - stats.started_time);
  }
  lines.push_back(title);
  std::string counts = std::to_string(stats.threads.size()) + " threads, " +
                       std::to_string(stats.isolates.size()) + " isolates, " +
                       std::to_string(stats.ports.size()) + " ports";
  if (stats.threads_beyond + stats.isolates_beyond + stats.ports_beyond != 0) {
    counts += "; without an entry since the start: " + std::to_string(stats.threads_beyond) +
              " threads, " + std::to_string(stats.isolates_beyond) + " isolates, " +
              std::to_string(stats.ports_beyond) + " ports";
  }
  lines.push_back(counts);
  lines.emplace_back();
  AddThreads(lines, before, now, rates);
  lines.emplace_back();
  AddIsolates(lines, before, now, rates);
  lines.emplace_back();
  AddPorts(lines, before, now, rates);
  return lines;
}

}  // namespace isolates::top
