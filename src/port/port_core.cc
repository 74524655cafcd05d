#include "isolates/detail/port_core.h"

#include <sched.h>

#include <atomic>
#include <mutex>
#include <new>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/error.h"
#include "src/port/dead_letters.h"
#include "src/port/port_bounds.h"
#include "src/port/port_lanes.h"
#include "src/port/port_mailbox.h"

namespace isolates::internal {
namespace {

// relaxed - a number generator; nothing is published by it.
std::atomic<std::uint64_t> next_port_id{1};

// AddressSanitizer is to see when a message's block is used too late.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ISOLATES_ADDRESS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(ISOLATES_ADDRESS_SANITIZER)
constexpr bool kKeepBlocks = false;
#else
constexpr bool kKeepBlocks = true;
#endif

void RequireConsistent(const PortOptions& options) {
  const auto within = [](std::size_t value, std::size_t most) {
    return value >= 1 && value <= most;
  };
  if (!within(options.capacity(), PortOptions::kMostMessages) ||
      !within(options.capacity_bytes(), PortOptions::kMostBytes)) {
    throw StateError(
        "the capacity of a port is from 1 to PortOptions::kMostMessages or kMostBytes");
  }
  if (options.on_full() == FullPolicy::kDropOldest &&
      (!options.bounded() || options.order() != MessageOrder::kTotal)) {
    throw StateError(
        "FullPolicy::kDropOldest needs a capacity and MessageOrder::kTotal: otherwise no message "
        "is "
        "the oldest");
  }
}

// Messages from lanes before the queue, and from one before others, have their turn.
constexpr int kMostInARow = 64;

// Of a counter with one writer.
void CountOne(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

Ref<PortCore> PortCore::Create(const PortOptions& options, const MessageType& type) {
  PortHost& host = RequireHost();
  host.CheckStop();
  RequireConsistent(options);
  const HeapScope main_heap(nullptr);
  host.ReservePort();
  auto core = Ref<PortCore>::Adopt(new PortCore(host, options, type));
  host.AddPort(*core);
  return core;
}

PortCore::PortCore(PortHost& host, const PortOptions& options, const MessageType& type)
    : id_(next_port_id.fetch_add(1, std::memory_order_relaxed)),
      host_(&host),
      type_(type),
      debug_name_(options.debug_name().empty()
                      ? nullptr
                      : std::make_unique<const std::string>(options.debug_name())),
      on_close_(options.on_close()),
      counts_senders_(options.close_when_senders_gone()),
      mailbox_(new PortMailbox(options.order(), host)),
      bounds_(options.bounded() ? new PortBounds(options) : nullptr) {
  meter_.Begin(host.meter(), id_, host.id(), debug_name(), options.bounded());
}

PortCore::~PortCore() {
  ISOLATES_DCHECK(closed(), "a port died open");
  for (FreeBlock* chain : {mailbox_->pool.TakeKept(), mailbox_->pool.TakeAll()}) {
    while (chain != nullptr) MainFree(std::exchange(chain, chain->next));
  }
}

// --- any thread
// -----------------------------------------------------------------------------------

bool PortCore::closed() const noexcept { return mailbox_->mailbox.refuses(); }

bool PortCore::counts_bytes() const noexcept { return bounds_ != nullptr && bounds_->counts_bytes; }

PortCounters PortCore::counters() const noexcept {
  PortCounters counters;
  counters.received = received_.load(std::memory_order_relaxed);
  counters.dead_letters = dead_letters_.load(std::memory_order_relaxed);
  counters.refused_closed = refused_closed_.load(std::memory_order_relaxed);
  if (bounds_ != nullptr) {
    counters.dropped_oldest = bounds_->dropped_oldest.load(std::memory_order_relaxed);
    counters.dropped_newest = bounds_->dropped_newest.load(std::memory_order_relaxed);
    counters.refused_full = bounds_->refused.load(std::memory_order_relaxed);
  }
  counters.queue_length = QueueLength();
  counters.accepted =
      counters.received + counters.dead_letters + counters.dropped_oldest + counters.queue_length;
  return counters;
}

std::uint64_t PortCore::QueueLength() const noexcept {
  std::uint64_t length = mailbox_->mailbox.Length();
  // Once the port has ended, what lies in lanes is what was refused.
  const PortLanes* const lanes = mailbox_->lanes();
  if (lanes != nullptr && !ended()) length += lanes->Length();
  return length;
}

void PortCore::AddSender() noexcept {
  if (counts_senders_) mailbox_->senders.Add();
}

void PortCore::DropSender() noexcept {
  if (counts_senders_ && mailbox_->senders.Drop()) Announce();
}

void PortCore::Announce() noexcept { Perform(mailbox_->mailbox.Announce()); }

void PortCore::Perform(MailboxDuty duty) noexcept {
  switch (duty) {
    case MailboxDuty::kList:
      AddRef();  // while the port stands in the list
      host_->Push(this);
      return;
    case MailboxDuty::kWake:
      host_->Wake();
      return;
    case MailboxDuty::kNone:
      return;
  }
}

// --- the port's isolate: messages
// -----------------------------------------------------------------

void PortCore::ThrowNotOwner() {
  throw StateError("a ReceivePort may be used only in the isolate that created it");
}

Envelope* PortCore::Dequeue() noexcept {
  if (bounds_ != nullptr && bounds_->policy == FullPolicy::kDropOldest) {
    const std::lock_guard lock(bounds_->consumers);
    return DequeueAlone();
  }
  return DequeueAlone();
}

Envelope* PortCore::DequeueAlone() noexcept {
  Envelope* envelope = nullptr;
  if (!mailbox_->mailbox.TryReceive(envelope)) return nullptr;
  OpenLane(*envelope);
  if (envelope->room != 0) bounds_->room.Give(CreditNeed::FromWord(envelope->room));
  return envelope;
}

ReceivedMessage PortCore::TryReceiveAnywhere() noexcept {
  const bool fresh = MeterReceived();
  // Lanes that had their share wait for the queue.
  const int share = hot_lane_ != nullptr ? hot_credit_ : kMostInARow;
  hot_credit_ = 0;
  if (share > 0) {
    if (ReceivedMessage message = TakeFromLanes(share)) return message;
  }
  if (Envelope* const envelope = Dequeue()) {
    hot_lane_ = nullptr;
    CountReceived();
    if (Tracing()) TraceEvent(TraceKind::kDequeued, host_->id(), MessageIdOf(envelope), id_);
    EndIfDrained();
    return {*this, *envelope};
  }
  if (share <= 0) {
    if (ReceivedMessage message = TakeFromLanes(kMostInARow)) return message;
  }
  EndIfDrained();  // a sender may have taken back what was seen in its lane
  if (SendersGone()) {
    Drain();
    if (!ended()) return TryReceiveAnywhere();  // sent before the last of them went
  }
  if (fresh) meter_.Empty();
  return {};
}

ReceivedMessage PortCore::TakeFromLanes(int share) noexcept {
  hot_lane_ = nullptr;
  PortLanes* const lanes = mailbox_->lanes();
  if (lanes == nullptr) return {};
  const TakenFromLane taken = lanes->Take();
  if (taken.message == nullptr) return {};
  CountReceived();
  const bool traced = Tracing();
  if (traced) {
    const std::uint64_t number = taken.lane->lane.passed();
    TraceEvent(TraceKind::kDequeued, host_->id(), taken.lane->meter.MessageId(number), id_);
  }
  if (draining_) {
    EndIfDrained();
  } else {
    hot_lane_ = taken.lane;
    hot_credit_ = traced ? 0 : share - 1;  // the short way is not traced
  }
  return {*this, *taken.lane, taken.message};
}

void PortCore::OpenLane(Envelope& opener) noexcept {
  if (opener.opens == nullptr && !opener.wants_lane) return;
  PortLanes& lanes = *mailbox_->lanes();
  DropAbandoned(lanes);
  if (opener.opens == nullptr) return;
  if (closed()) {
    lanes.BeginClosing();
  } else if (host_->MayAttend() && (attention_ == Attention::kOwner || !taken())) {
    lanes.Attend();
  }
  lanes.Add(Ref<SenderLane>::Adopt(std::exchange(opener.opens, nullptr)));
}

void PortCore::DropAbandoned(PortLanes& lanes) noexcept {
  hot_lane_ = nullptr;
  hot_credit_ = 0;
  lanes.DropAbandoned();
}

bool PortCore::LanesEmpty() const noexcept {
  PortLanes* const lanes = mailbox_->lanes();
  return lanes == nullptr || !lanes->HasMessage();
}

int PortCore::lane_count() const noexcept {
  const PortLanes* const lanes = mailbox_->lanes();
  return lanes != nullptr ? lanes->count() : 0;
}

void PortCore::Recycle(Envelope* envelope) noexcept {
  const bool reusable = kKeepBlocks && envelope->reusable;
  envelope->~Envelope();
  auto* const block = new (static_cast<void*>(envelope)) FreeBlock;
  if (!reusable || !mailbox_->pool.Keep(block)) MainFree(block);
}

bool PortCore::HasMessage() const noexcept {
  return mailbox_->mailbox.HasMessage() || !LanesEmpty();
}

bool PortCore::SendersGone() const noexcept {
  return counts_senders_ && !closed() && mailbox_->senders.AllGone();
}

bool PortCore::Ready() const noexcept {
  return HasMessage() || ended() || draining_ || SendersGone();
}

void PortCore::List() noexcept {
  if (attention_ == Attention::kOwner) {
    attention_ = Attention::kSenders;
  } else if (!mailbox_->mailbox.TryList()) {
    return;
  }
  AddRef();  // while the port stands in the list
  host_->Requeue(this);
}

// --- the port's isolate: who notices the next message
// -----------------------------------------------
//
// The bit "listed" of the mailbox says that senders need not tell: the port stands in the list of
// events of its isolate, or attention_ is kOwner. Then nobody takes messages, or the isolate looks
// at the port until it has nothing else to do (PortHost::Attend).

void PortCore::SettleAttention() noexcept {
  if (attention_ == Attention::kSenders) {
    if (!mailbox_->mailbox.TryList()) return;  // in the list, or on its way there
    attention_ = Attention::kOwner;
  }
  if (!closed() && host_->MayAttend() && (!taken() || host_->Attend(*this))) {
    if (PortLanes* const lanes = mailbox_->lanes()) lanes->Attend();
  } else if (LeaveToSenders()) {
    StdAtomics::HeavyBarrier();
  }
  if (taken() && Ready()) List();
}

void PortCore::TellFromNowOn() noexcept {
  if (handling_event_) return;  // settled after the event
  PortLanes* const lanes = mailbox_->lanes();
  const bool barrier =
      attention_ == Attention::kOwner ? LeaveToSenders() : lanes != nullptr && lanes->Ignore();
  if (barrier) StdAtomics::HeavyBarrier();
  if (Ready()) List();
}

bool PortCore::LeaveToSenders() noexcept {
  attention_ = Attention::kSenders;
  bool barrier = false;
  if (PortLanes* const lanes = mailbox_->lanes()) {
    barrier = lanes->Ignore();
    DropAbandoned(*lanes);
  }
  mailbox_->mailbox.Unlist();
  return barrier;
}

// --- the port's isolate: who takes the messages
// ---------------------------------------------------

void PortCore::SetHandler(std::unique_ptr<MessageHandler> handler) {
  RetireHandler();
  if (ended()) return;  // no message will come: what it holds is not kept until the port dies
  handler_ = std::move(handler);
  UpdateKeepAlive();
  BeginToTake();
}

void PortCore::BeginToTake() noexcept {
  if (!taken() || handling_event_) return;  // settled after the event
  if (attention_ == Attention::kOwner || mailbox_->lanes() != nullptr) {
    SettleAttention();
  } else if (Ready()) {
    List();
  }
}

void PortCore::RetireHandler() noexcept {
  if (handler_ != nullptr && handling_ > 0) {
    // It may be running now: freed after it returns.
    handler_->next_retired = std::move(retired_handlers_);
    retired_handlers_ = std::move(handler_);
  }
  handler_ = nullptr;
}

void PortCore::SetWaiter(std::coroutine_handle<> waiter) {
  if (waiter_ || handler_ != nullptr) {
    throw StateError("this port is listened to already");
  }
  waiter_ = waiter;
  UpdateKeepAlive();
  BeginToTake();
}

void PortCore::ClearWaiter() noexcept {
  waiter_ = nullptr;
  UpdateKeepAlive();
}

void PortCore::set_keep_alive(bool keep_alive) noexcept {
  keep_alive_ = keep_alive;
  UpdateKeepAlive();
}

void PortCore::UpdateKeepAlive() noexcept {
  // A coroutine that waits counts even if the port has ended: it is still to learn of it.
  const bool counts = keep_alive_ && ((handler_ != nullptr && !ended()) || waiter_);
  if (counts != counted_) {
    counted_ = counts;
    host_->AddKeepAlive(counts ? 1 : -1);
  }
}

std::string PortCore::Describe() const {
  return debug_name_ == nullptr ? "port " + std::to_string(id_) : "port '" + *debug_name_ + "'";
}

void PortCore::SetAwaited(bool awaited) noexcept {
  PortLanes* const lanes = mailbox_->lanes();
  if (awaited) {
    mailbox_->mailbox.SetAwaited();
    if (lanes == nullptr) return;
    if (lanes->Ignore()) StdAtomics::HeavyBarrier();
    DropAbandoned(*lanes);
  } else {
    mailbox_->mailbox.ClearAwaited();
    // Nobody takes the messages but this isolate's code, which looks before it sleeps.
    if (lanes != nullptr && !taken() && !closed() && host_->MayAttend()) lanes->Attend();
  }
}

bool PortCore::WaitForMessage(TimePoint deadline) {
  return host_->Wait(
      {"a message on", this,
       [](const void* self, bool sleeps) noexcept {
         // Given as a const pointer, as all arguments of waits.
         const_cast<PortCore*>(static_cast<const PortCore*>(self))->SetAwaited(sleeps);
       }},
      [](const void* self) { return static_cast<const PortCore*>(self)->Ready(); }, this, deadline);
}

// --- the port's isolate: the end
// ------------------------------------------------------------------
//
// open      accepts and delivers
// draining  refuses; at least one accepted message is there
// ended     refuses; no message is there

void PortCore::CloseByPolicy() noexcept {
  if (on_close_ == ClosePolicy::kDrain) {
    Drain();
  } else {
    Close();
  }
}

void PortCore::Refuse() noexcept {
  PortLanes* const lanes = mailbox_->lanes();
  if (lanes != nullptr) lanes->BeginClosing();
  mailbox_->mailbox.Refuse();
  if (bounds_ != nullptr) bounds_->room.Close();
  if (lanes == nullptr) return;
  hot_lane_ = nullptr;
  hot_credit_ = 0;
  // What was sent while they were not attended came before the closing in the mailbox's word.
  if (lanes->Ignore()) StdAtomics::HeavyBarrier();
  lanes->FinishClosing();
}

void PortCore::Drain() noexcept {
  if (closed()) return;
  Refuse();
  draining_ = true;
  EndIfDrained();
}

void PortCore::EndIfDrained() noexcept {
  // In this order: what is in the queue may open a lane.
  if (draining_ && !mailbox_->mailbox.Settle([] { sched_yield(); }) && LanesEmpty()) End();
}

void PortCore::Close() noexcept {
  if (ended()) return;
  const Ref<PortCore> self(this);
  if (!closed()) Refuse();
  while (mailbox_->mailbox.Settle([] { sched_yield(); })) {
    if (Envelope* const envelope = Dequeue()) {
      TellOfDeadLetter(*this, envelope->MessageType(), DeadLetterReason::kPortClosed);
      CountOne(dead_letters_);
      DestroyDeadLetter(envelope);
    }
  }
  if (PortLanes* const lanes = mailbox_->lanes()) {
    for (;;) {
      const TakenFromLane taken = lanes->Take();
      if (taken.message == nullptr) break;
      TellOfDeadLetter(*this, *type_.info, DeadLetterReason::kPortClosed);
      CountOne(dead_letters_);
      {
        const ReceivedMessage dropped(*this, *taken.lane, taken.message);
      }
      CountDeadLetter();
    }
  }
  End();
}

void PortCore::End() noexcept {
  // release - pairs with ended(), in the destructor of a ReceivePort on any thread.
  if (ended_.exchange(true, std::memory_order_release)) return;  // by a message's destructor
  draining_ = false;
  const Ref<PortCore> self(this);
  MeterReceived();
  meter_.Close();
  RetireHandler();
  UpdateKeepAlive();
  host_->RemovePort(*this);
  // A coroutine that waits learns that the port has ended, in an event of its own.
  if (waiter_) List();
}

void DestroyDeadLetter(Envelope* envelope) noexcept {
  delete envelope;
  CountDeadLetter();
}

// --- the port's isolate: events
// -------------------------------------------------------------------

void PortCore::OnEvent() {
  const auto self = Ref<PortCore>::Adopt(this);  // taken over from the list
  attention_ = Attention::kOwner;
  struct Event {
    PortCore& port;
    explicit Event(PortCore& of) noexcept : port(of) { port.handling_event_ = true; }
    ~Event() {
      port.handling_event_ = false;
      port.meter_.EndEvent(port.host_->meter(), port.received_.load(std::memory_order_relaxed),
                           [this] { return port.QueueLength(); });
      if (port.attention_ == Attention::kOwner) port.SettleAttention();
    }
  } const event(*this);
  if (waiter_) {
    if (Ready()) {
      const auto waiter = std::exchange(waiter_, nullptr);
      UpdateKeepAlive();
      waiter.resume();
    }
    return;
  }
  if (handler_ != nullptr) HandleMessages();  // else the messages wait for a handler
}

void PortCore::HandleMessages() {
  struct Handling {
    PortCore& port;
    MessageHandler* handler = port.handler_.get();
    ~Handling() {
      if (--port.handling_ == 0) port.retired_handlers_ = nullptr;
      if (port.handler_ != nullptr && port.HasMessage()) port.List();
    }
  } handling{*this};
  ++handling_;
  for (bool last = false; !last && handler_.get() == handling.handler;) {
    ReceivedMessage received = TryReceive();
    if (!received) return;
    const bool more = HasMessage();
    last = !handling.handler->takes_batches() || !more || !host_->MayGoOn();
    // Before the call: it may wait in a loop of its own, where the next message comes.
    if (last && more) List();
    if (Tracing()) TraceEvent(TraceKind::kHandlerBegin, host_->id(), 0, id_);
    handling.handler->Handle(*this, std::move(received), last);
    if (Tracing()) TraceEvent(TraceKind::kHandlerEnd, host_->id(), 0, id_);
    if (!last) host_->CheckStop();
  }
}

void PortCore::OnDiscard() noexcept { Release(); }

}  // namespace isolates::internal

// The one suppression of the library. moodycamel's queue synchronizes by atomic_thread_fence, which
// ThreadSanitizer does not know: every use of it would be reported. Only frames inside of the queue
// as TokenQueue instantiates it are meant; what our own code does before and after stays watched.
// (Here and not in a file, so that programs which use the library need none; weak, so that they may
// have their own.)
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ISOLATES_THREAD_SANITIZER
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(ISOLATES_THREAD_SANITIZER)
extern "C" const char* __tsan_default_suppressions();
extern "C" __attribute__((weak)) const char* __tsan_default_suppressions() {
  return "race:moodycamel::ConcurrentQueue<*isolates::internal::TokenQueueTraits>\n";
}
#endif
