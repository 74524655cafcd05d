// Processes of the file, each with its tracks:
//   1  threads     what turns a thread ran
//   2  isolates    turns, sleeps in them, and what messages were handled
//   3, 4           the same of simulations, by their own time
//
// Slices of one track nest: what is open inside of a slice that ends is ended with it, and an end
// without a begin, which lies before the trace, is left out.

#include "src/base/trace_json.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <ostream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "isolates/detail/instruments.h"

namespace isolates::internal {

#if ISOLATES_INSTRUMENTS

std::string_view TraceKindName(TraceKind kind) noexcept {
  constexpr std::array<std::string_view, 15> kNames = {
      "none", "turn begin", "turn end", "park",        "unpark",
      "send", "visible",    "dequeued", "handle",      "handled",
      "wake", "start",      "exit",     "parcel sent", "parcel adopted"};
  const auto number = static_cast<std::size_t>(kind);
  return number < kNames.size() ? kNames[number] : "garbled";
}

namespace {

constexpr int kThreads = 1;
constexpr int kIsolates = 2;
constexpr int kSimulated = 2;  // added to these

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += letter;
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Names are bytes; one that is no ASCII is shown by its number.
      constexpr std::string_view kDigits = "0123456789abcdef";
      quoted += "\\u00";
      quoted += kDigits[byte >> 4];
      quoted += kDigits[byte & 15];
    } else {
      quoted += letter;
    }
  }
  return quoted + '"';
}

// Names of isolates and ports that have an entry still.
class Names {
 public:
  Names() {
    const StatsHeader* const header = LocalStats();
    if (header == nullptr) return;
    Read<StatsIsolate>(*header, header->isolates, isolates_);
    Read<StatsPort>(*header, header->ports, ports_);
  }

  std::string OfIsolate(std::uint64_t id) const {
    std::string name = TracedName(id);
    if (name.empty()) {
      const auto found = isolates_.find(id);
      if (found != isolates_.end()) name = found->second;
    }
    return name.empty() ? "isolate " + std::to_string(id) : name;
  }
  std::string OfPort(std::uint64_t id) const {
    const auto found = ports_.find(id);
    return found != ports_.end() && !found->second.empty() ? found->second
                                                           : "port " + std::to_string(id);
  }

 private:
  using Map = std::unordered_map<std::uint64_t, std::string>;

  template <class Entry>
  static void Read(const StatsHeader& header, const StatsTable& table, Map& names) {
    const std::uint64_t used = StatsGet(table.used);
    for (std::uint64_t number = 1; number <= used; ++number) {
      const auto& entry = StatsEntry<Entry>(header, table, number);
      // acquire - pairs with whoever took the entry: its name.
      const std::uint64_t before = entry.generation.load(std::memory_order_acquire);
      const std::uint64_t id = StatsGet(entry.id);
      std::string name = entry.name.Get();
      if (id != 0 && entry.generation.load(std::memory_order_acquire) == before) {
        names[id] = std::move(name);
      }
    }
  }

  Map isolates_;
  Map ports_;
};

class Writer {
 public:
  Writer(const TraceStory& story, std::ostream& out) : story_(story), out_(out) {}

  void Write() {
    out_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
    // Times of the machine begin with the trace's, so that they stay exact as decimal fractions.
    for (const MergedRecord& record : story_.records) {
      if (!record.other_clock) {
        origin_ = record.time;
        break;
      }
    }
    for (const MergedRecord& record : story_.records) Tell(record);
    for (auto& [track, open] : tracks_) {
      while (!open.slices.empty()) End(track, open, last_[track.first > kSimulated ? 1 : 0]);
    }
    Name(kThreads, "threads");
    Name(kIsolates, "isolates");
    Name(kThreads + kSimulated, "threads of simulations");
    Name(kIsolates + kSimulated, "isolates of simulations");
    for (const auto& [track, open] : tracks_) {
      Event(track.first, track.second, "M", "thread_name", 0, Argument("name", NameOf(track)));
    }
    out_ << "\n]}\n";
  }

 private:
  using Track = std::pair<int, std::uint64_t>;
  enum class Slice : char { kTurn, kSleep, kHandling };
  // A track's slices that are open, the innermost last.
  struct Open {
    std::vector<Slice> slices;
  };

  static std::string Argument(std::string_view name, const std::string& text) {
    return "\"args\":{" + Quoted(name) + ":" + Quoted(text) + "}";
  }

  std::string NameOf(const Track& track) const {
    const bool thread = track.first == kThreads || track.first == kThreads + kSimulated;
    if (!thread) return names_.OfIsolate(track.second);
    for (const TraceStory::Thread& one : story_.threads) {
      if (one.id == track.second) return one.name;
    }
    return {};
  }

  void Event(int process, std::uint64_t track, const char* phase, std::string_view name,
             std::uint64_t time, const std::string& more = {}) {
    std::array<char, 40> stamp{};
    std::snprintf(stamp.data(), stamp.size(), "%llu.%03u",
                  static_cast<unsigned long long>(time / 1000), static_cast<unsigned>(time % 1000));
    out_ << (first_ ? "\n" : ",\n") << "{\"ph\":\"" << phase << "\",\"pid\":" << process
         << ",\"tid\":" << track << ",\"ts\":" << stamp.data() << ",\"name\":" << Quoted(name);
    if (!more.empty()) out_ << "," << more;
    out_ << "}";
    first_ = false;
  }
  void Name(int process, const std::string& name) {
    Event(process, 0, "M", "process_name", 0, Argument("name", name));
  }

  void Begin(const Track& track, Open& open, Slice kind, const std::string& name,
             std::uint64_t time, const std::string& more = {}) {
    open.slices.push_back(kind);
    Event(track.first, track.second, "B", name, time, more);
  }
  void End(const Track& track, Open& open, std::uint64_t time) {
    open.slices.pop_back();
    Event(track.first, track.second, "E", "", time);
  }
  // Ends the innermost slice of that kind, and what is open in it.
  void End(const Track& track, Open& open, Slice kind, std::uint64_t time) {
    if (std::find(open.slices.begin(), open.slices.end(), kind) == open.slices.end()) return;
    while (open.slices.back() != kind) End(track, open, time);
    End(track, open, time);
  }

  void Tell(const MergedRecord& record) {
    const int shift = record.other_clock ? kSimulated : 0;
    const std::uint64_t time = record.other_clock ? record.time : record.time - origin_;
    last_[record.other_clock ? 1 : 0] = time;
    const Track thread(kThreads + shift, story_.threads[record.thread].id);
    const Track isolate(kIsolates + shift, record.isolate);
    // What a plain thread does stands in its own track.
    const Track& track = record.isolate != 0 ? isolate : thread;
    Open& open = tracks_[track];
    switch (record.kind) {
      case TraceKind::kTurnBegin:
        Begin(track, open, Slice::kTurn, "turn", time);
        Begin(thread, tracks_[thread], Slice::kTurn, names_.OfIsolate(record.isolate), time);
        break;
      case TraceKind::kTurnEnd:
        End(track, open, Slice::kTurn, time);
        End(thread, tracks_[thread], Slice::kTurn, time);
        break;
      case TraceKind::kPark:
        Begin(track, open, Slice::kSleep, "sleep", time);
        break;
      case TraceKind::kUnpark:
        End(track, open, Slice::kSleep, time);
        break;
      case TraceKind::kSend:
        if (record.message != 0) Flow(track, "s", record.message, time);
        break;
      case TraceKind::kDequeued:
        // One that was received in code that handles another, by a listener, is part of that.
        EndHandling(track, open, time);
        if (record.message != 0) BeginHandling(track, open, record, time);
        break;
      case TraceKind::kHandlerEnd:
        EndHandling(track, open, time);
        break;
      case TraceKind::kWake:
        Instant(track, "wakes " + names_.OfIsolate(record.first), time);
        break;
      case TraceKind::kStart:
        Instant(track, "starts " + names_.OfIsolate(record.first), time);
        break;
      case TraceKind::kExit:
        Instant(track, "ends", time);
        break;
      case TraceKind::kParcelSent:
        Instant(track, "sends a parcel", time);
        break;
      case TraceKind::kParcelAdopted:
        Instant(track, "adopts a parcel", time);
        break;
      case TraceKind::kNone:
      case TraceKind::kVisible:
      case TraceKind::kHandlerBegin:
        break;
    }
  }

  void BeginHandling(const Track& track, Open& open, const MergedRecord& record,
                     std::uint64_t time) {
    const TracedMessage& message = story_.messages[record.message - 1];
    Begin(track, open, Slice::kHandling, names_.OfPort(message.port), time,
          Argument("sender", message.sender != 0 ? names_.OfIsolate(message.sender) : "a thread"));
    Flow(track, "f", record.message, time);
  }
  void EndHandling(const Track& track, Open& open, std::uint64_t time) {
    if (!open.slices.empty() && open.slices.back() == Slice::kHandling) End(track, open, time);
  }
  void Flow(const Track& track, const char* phase, std::size_t number, std::uint64_t time) {
    Event(track.first, track.second, phase, "message", time,
          "\"cat\":\"message\",\"bp\":\"e\",\"id\":" + std::to_string(number));
  }
  void Instant(const Track& track, const std::string& name, std::uint64_t time) {
    Event(track.first, track.second, "i", name, time, "\"s\":\"t\"");
  }

  const TraceStory& story_;
  std::ostream& out_;
  const Names names_;
  std::map<Track, Open> tracks_;
  std::uint64_t origin_ = 0;
  std::array<std::uint64_t, 2> last_{};  // times of the machine, and of simulations
  bool first_ = true;
};

}  // namespace

void WriteTrace(const TraceStory& story, std::ostream& out) { Writer(story, out).Write(); }

#endif

}  // namespace isolates::internal
