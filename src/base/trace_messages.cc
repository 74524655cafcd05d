#include "src/base/trace_messages.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace isolates::internal {

#if ISOLATES_INSTRUMENTS

namespace {

// Puts the records of all threads in order. Where times are equal, those of one thread stay as they
// were; a simulation's and the machine's time do not compare, and stay apart.
TraceStory Merge(std::vector<TracedThread> threads) {
  TraceStory story;
  std::uint64_t from = 0;
  for (const TracedThread& thread : threads) {
    if (thread.overwritten && !thread.records.front().other_clock) {
      from = std::max(from, thread.records.front().time);
    }
  }
  for (TracedThread& thread : threads) {
    std::uint64_t last[2] = {0, 0};
    for (const TraceRecord& record : thread.records) {
      MergedRecord merged;
      static_cast<TraceRecord&>(merged) = record;
      merged.thread = story.threads.size();
      merged.order = story.records.size();
      // The clock may step back a little when it is measured anew.
      std::uint64_t& latest = last[record.other_clock ? 1 : 0];
      merged.time = latest = std::max(latest, record.time);
      if (record.other_clock || record.time >= from) story.records.push_back(merged);
    }
    story.threads.push_back({thread.thread, std::move(thread.name)});
  }
  std::sort(story.records.begin(), story.records.end(),
            [](const MergedRecord& a, const MergedRecord& b) {
              return std::tuple(a.other_clock, a.time, a.order) <
                     std::tuple(b.other_clock, b.time, b.order);
            });
  return story;
}

// Finds the messages: by what both sides call them.
class Matcher {
 public:
  explicit Matcher(TraceStory& story) : story_(story) {}

  void Match() {
    Pair();
    Follow();
  }

 private:
  using Kind = TraceKind;

  static constexpr std::size_t kNone = ~std::size_t{0};

  // What an isolate is at.
  struct State {
    bool runs = false;
    std::uint64_t since = 0;   // it runs
    std::size_t message = 0;   // that it handles, from 1
    bool by_listener = false;  // the end is recorded
  };
  struct Sent {
    std::size_t send = kNone;
    std::size_t visible = kNone;
  };

  // A receiver may find a message before its sender has recorded that it is visible, or even, by
  // clocks of two processors, before it was sent. So first come all sends of a name in their order,
  // then all receipts of it.
  void Pair() {
    std::unordered_map<std::uint64_t, std::vector<Sent>> sent;
    std::unordered_map<std::uint64_t, std::size_t> next;
    for (std::size_t i = 0; i < story_.records.size(); ++i) {
      const MergedRecord& record = story_.records[i];
      if (record.kind == Kind::kSend) sent[record.first].push_back({i, kNone});
      if (record.kind != Kind::kVisible) continue;
      const auto found = sent.find(record.first);
      if (found != sent.end() && found->second.back().visible == kNone) {
        found->second.back().visible = i;
      }
    }
    for (std::size_t i = 0; i < story_.records.size(); ++i) {
      MergedRecord& record = story_.records[i];
      if (record.kind != Kind::kDequeued) continue;
      const auto found = sent.find(record.first);
      if (found == sent.end()) continue;
      std::size_t& at = next[record.first];
      // Older sends whose receipts are not in the trace: none, as all begins at one time; but the
      // first receipt may be of a message that was sent before it began.
      if (at >= found->second.size()) continue;
      const Sent one = found->second[at];
      if (one.visible == kNone || story_.records[one.send].time > record.time + kSkew) continue;
      ++at;
      Add(one, i);
    }
  }

  void Add(const Sent& sent, std::size_t dequeued) {
    TracedMessage message;
    MergedRecord& send = story_.records[sent.send];
    message.port = send.second;
    message.sender = send.isolate;
    message.receiver = story_.records[dequeued].isolate;
    message.send = sent.send;
    message.visible = sent.visible;
    message.dequeued = dequeued;
    story_.messages.push_back(message);
    for (const std::size_t i : {sent.send, sent.visible, dequeued}) {
      story_.records[i].message = story_.messages.size();
    }
  }

  // When each receiver ran, and what it handled until when.
  void Follow() {
    std::unordered_map<std::uint64_t, State> states;
    for (MergedRecord& record : story_.records) {
      State& state = states[record.isolate];
      switch (record.kind) {
        case Kind::kTurnBegin:
        case Kind::kUnpark:
          state.runs = true;
          state.since = record.time;
          break;
        case Kind::kTurnEnd:
        case Kind::kPark:
        case Kind::kExit:
          EndHandling(state, record.time);
          state.runs = false;
          break;
        case Kind::kDequeued:
          EndHandling(state, record.time);
          if (record.message != 0) BeginHandling(state, record);
          break;
        case Kind::kHandlerBegin:
          if (state.message == 0) break;
          state.by_listener = true;
          record.message = state.message;
          story_.messages[state.message - 1].begin = record.time;
          break;
        case Kind::kHandlerEnd:
          state.by_listener = false;
          record.message = state.message;
          EndHandling(state, record.time);
          break;
        default:
          break;
      }
    }
    // What is handled still.
    if (story_.records.empty()) return;
    for (auto& [isolate, state] : states) EndHandling(state, story_.records.back().time);
  }
  void BeginHandling(State& state, const MergedRecord& dequeued) {
    TracedMessage& message = story_.messages[dequeued.message - 1];
    const std::uint64_t visible = story_.records[message.visible].time;
    message.woken =
        state.runs ? std::clamp(state.since, visible, std::max(visible, dequeued.time)) : visible;
    message.begin = message.end = dequeued.time;
    state.message = dequeued.message;
  }
  // (A listener that sleeps or receives goes on afterwards.)
  void EndHandling(State& state, std::uint64_t time) {
    if (state.message == 0 || state.by_listener) return;
    story_.messages[state.message - 1].end = time;
    state.message = 0;
  }

  // By so much may clocks of two processors differ.
  static constexpr std::uint64_t kSkew = 1000;

  TraceStory& story_;
};

}  // namespace

TraceStory TellTrace() {
  TraceStory story = Merge(CollectTrace());
  Matcher(story).Match();
  return story;
}

#endif

}  // namespace isolates::internal
