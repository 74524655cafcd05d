#include "isolates/detail/port_sender.h"

#include <algorithm>
#include <atomic>
#include <coroutine>
#include <mutex>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/detail/probe.h"
#include "isolates/error.h"
#include "src/port/dead_letters.h"
#include "src/port/port_bounds.h"
#include "src/port/port_mailbox.h"
#include "src/port/producer.h"

namespace isolates::internal {
namespace {

// What a plain thread sends goes into the list of the port, whichever SendPort it uses; a thread
// that has sent so goes on with the list when it is an isolate. So all that it sends stays in
// order. (thread_local: a plain thread and the isolate that it becomes have nothing else in
// common.)
thread_local constinit bool sent_as_plain_thread = false;

// A sender that has found the port awake so often more than asleep gets a lane.
constexpr int kHot = 64;

}  // namespace

// --- SenderHandle
// ---------------------------------------------------------------------------------

SenderHandle::SenderHandle(SenderHandle&& other) noexcept
    : port_(std::move(other.port_)),
      host_(std::exchange(other.host_, 0)),
      producer_(std::exchange(other.producer_, nullptr)),
      lane_(std::exchange(other.lane_, nullptr)) {}

SenderHandle& SenderHandle::operator=(SenderHandle other) noexcept {
  std::swap(port_, other.port_);
  std::swap(host_, other.host_);
  std::swap(producer_, other.producer_);
  std::swap(lane_, other.lane_);
  return *this;
}

SenderHandle::~SenderHandle() {
  if (producer_ != nullptr) producer_->Release();
  if (port_) port_->DropSender();
}

PortCore& SenderHandle::RequirePort() const {
  if (!port_) throw StateError("this SendPort is empty: it was never connected to a ReceivePort");
  return *port_;
}

Producer& SenderHandle::ProducerOfThisThread() const {
  PortHost* const host = current_host;
  const std::uint64_t id = host == nullptr ? 0 : host->id();
  if (producer_ != nullptr && host_ == id) {
    lane_ = producer_->lane.get();
    return *producer_;
  }
  Ref<Producer> found;
  if (host == nullptr) {
    sent_as_plain_thread = true;
    found = MakeRef<Producer>(*port_, port_->mailbox_->queue, Producer::Part::kList);
  } else {
    // The isolate goes on with the object's own sender, if it has none yet: what was sent through
    // this object first stays first.
    found = Ref<Producer>(&host->producers().For(
        *port_, host_ == 0 ? Ref<Producer>(producer_) : nullptr,
        sent_as_plain_thread ? Producer::Part::kList : Producer::Part::kAny));
  }
  if (producer_ != nullptr) producer_->Release();
  producer_ = found.Detach();
  host_ = id;
  lane_ = producer_->lane.get();
  return *producer_;
}

// --- Departure: room
// ------------------------------------------------------------------------------

Departure::Departure(const SenderHandle& sender, std::size_t bytes)
    : sender_(sender), port_(&sender.RequirePort()), bytes_(bytes) {}

Departure::~Departure() {
  StopWaiting();
  if (block_ != nullptr) MainFree(block_);
  if (busy_) SetBusy(false);
  GiveRoom();
  LeaveLine();
}

void Departure::UseProducerOfThisThread() {
  producer_ = Ref<Producer>(&sender_.ProducerOfThisThread());
}

void Departure::GiveRoom() noexcept {
  if (room_ != 0) port_->bounds_->room.Give(CreditNeed::FromWord(std::exchange(room_, 0)));
}

bool Departure::Unbounded() const noexcept {
  // A message to oneself would wait for itself.
  return port_->bounds_ == nullptr || current_host == port_->host_.get();
}

SendResult Departure::Refuse(SendResult result) const noexcept {
  // relaxed, both - counters.
  if (result == SendResult::kClosed) {
    port_->refused_closed_.fetch_add(1, std::memory_order_relaxed);
  } else if (result == SendResult::kFull) {
    port_->bounds_->refused.fetch_add(1, std::memory_order_relaxed);
  }
  return result;
}

SendResult Departure::TakeRoom() {
  if (port_->closed()) return Refuse(SendResult::kClosed);
  UseProducerOfThisThread();
  if (Unbounded()) return SendResult::kAccepted;
  PortBounds& bounds = *port_->bounds_;
  // Behind those that this sender has in line.
  if (!producer_->line.empty()) return SendResult::kFull;
  const CreditNeed need = bounds.room.NeedOf(bytes_);
  if (bounds.policy == FullPolicy::kDropOldest) {
    bounds.room.TakeAnyway(need);
    room_ = need.word();
    return SendResult::kAccepted;
  }
  switch (bounds.room.TryTake(need)) {
    case PortBounds::Room::Answer::kTaken:
      room_ = need.word();
      return SendResult::kAccepted;
    case PortBounds::Room::Answer::kClosed:
      return Refuse(SendResult::kClosed);
    case PortBounds::Room::Answer::kFull:
      break;
  }
  return bounds.policy == FullPolicy::kDropNewest ? SendResult::kDropped : SendResult::kFull;
}

SendResult Departure::TakeNoRoom() {
  if (port_->closed()) return Refuse(SendResult::kClosed);
  UseProducerOfThisThread();
  return SendResult::kAccepted;
}

bool Departure::MayWait() const noexcept { return port_->bounds_->policy == FullPolicy::kAwait; }

// kFull: the message is in line, and in that of Credit unless it has room already.
SendResult Departure::StartToWait(PortHost& host, std::coroutine_handle<> coroutine) {
  auto& room = port_->bounds_->room;
  waiter_ = MakeRef<RoomWaiter>(host, room.NeedOf(bytes_), coroutine);
  const auto answer = room.TakeOrWait(*waiter_);
  waits_ = answer != PortBounds::Room::Answer::kClosed;
  const bool is_first = producer_->line.empty();
  producer_->line.Join(*waiter_);
  if (answer == PortBounds::Room::Answer::kFull) return SendResult::kFull;
  if (waits_) {
    waiter_->GrantAtOnce();
    if (!is_first) return SendResult::kFull;
    return Verdict();
  }
  waiter_->Forget();
  LeaveLine();
  return Refuse(SendResult::kClosed);
}

// What was granted meanwhile is given back.
void Departure::StopWaiting() noexcept {
  if (!waits_) return;
  waits_ = false;
  waiter_->Forget();
  port_->bounds_->room.Abandon(*waiter_);
}

void Departure::LeaveLine() noexcept {
  if (const Ref<RoomWaiter> waiter = std::exchange(waiter_, nullptr)) {
    producer_->line.Leave(*waiter);
  }
}

SendResult Departure::Verdict() noexcept {
  if (waiter_->Ready()) {
    waits_ = false;
    waiter_->Forget();
    if (waiter_->Verdict() == CreditVerdict::kGranted) {
      room_ = waiter_->need.word();
      return SendResult::kAccepted;
    }
    LeaveLine();
    return Refuse(SendResult::kClosed);
  }
  // The deadline has passed.
  StopWaiting();
  LeaveLine();
  return SendResult::kFull;
}

SendResult Departure::WaitForRoom(TimePoint deadline) {
  PortHost& host = RequireHost();
  host.CheckStop();
  UseProducerOfThisThread();  // the thread may have become an isolate just now
  // Only events of this isolate would send what is before it in line, and none is handled now.
  if (host.InTurn() && !producer_->line.empty()) return SendResult::kFull;
  const SendResult result = StartToWait(host, nullptr);
  if (result != SendResult::kFull) return result;
  host.Wait(
      {"room in", port_},
      [](const void* waiter) { return static_cast<const RoomWaiter*>(waiter)->Ready(); },
      waiter_.get(), deadline);
  return Verdict();
}

bool Departure::Suspend(std::coroutine_handle<> coroutine) {
  PortHost& host = RequireHost();
  UseProducerOfThisThread();  // as above
  return StartToWait(host, coroutine) == SendResult::kFull;
}

SendResult Departure::Resume() {
  if (waits_) return Verdict();
  return room_ != 0 ? SendResult::kAccepted : SendResult::kClosed;
}

// --- Departure: the message
// -----------------------------------------------------------------------

void Departure::SetBusy(bool busy) {
  // relaxed - misuse detection only; correct programs never contend here.
  const bool before = producer_->busy.exchange(busy, std::memory_order_relaxed);
  ISOLATES_CHECK(before != busy, "one SendPort object is used by two threads at once; copy it");
  busy_ = busy;
}

void* Departure::Block(std::size_t size, std::size_t align) {
  if (current_host == nullptr) SetBusy(true);
  FreeBlock*& blocks = producer_->end.blocks;
  if (blocks == nullptr) blocks = port_->mailbox_->pool.TakeAll();
  if (FreeBlock* const block = blocks) {
    blocks = block->next;
    block_ = block;
  } else {
    block_ = MainAllocate(size, align);
  }
  return block_;
}

bool Departure::Send(Envelope* envelope) {
  block_ = nullptr;  // it holds the envelope
  envelope->room = room_;
  auto& mailbox = port_->mailbox_->mailbox;
  if (!mailbox.Reserve()) {
    Refuse(SendResult::kClosed);
    return false;
  }
  if (producer_->hot >= kHot && MayOpenLane()) OpenLane(*envelope);
  Ref<SenderLane> lane(envelope->opens);
  MailboxDuty duty;
  ISOLATES_PROBE1(send, port_->id());
  try {
    const TracedSend sending(CurrentHostId(), MessageIdOf(envelope), port_->id());
    duty = mailbox.Commit(producer_->end, envelope);
  } catch (...) {
    mailbox.Cancel();
    CancelLane(*envelope);
    throw;
  }
  room_ = 0;  // goes with the message
  producer_->lane = std::move(lane);
  if (current_host != nullptr && current_host->meter().CountSend()) {
    current_host->meter().WriteSent();
  }
  // No further than it takes: many never get one.
  producer_->hot =
      duty == MailboxDuty::kNone ? std::min(producer_->hot + 1, kHot) : producer_->hot / 2;
  port_->Perform(duty);
  const PortBounds* const bounds = port_->bounds_.get();
  if (bounds != nullptr && bounds->policy == FullPolicy::kDropOldest && bounds->room.Exceeded()) {
    DropOldest();
  }
  return true;
}

// --- Departure: lanes
// -----------------------------------------------------------------------------

bool Departure::MayOpenLane() const noexcept {
  return current_host != nullptr && port_->bounds_ == nullptr && port_->type_.lane.stride != 0 &&
         !port_->mailbox_->queue.keeps_to_list() && HasHeavyBarrier();
}

// If there is no memory for one now, the next message asks again.
void Departure::OpenLane(Envelope& opener) noexcept {
  producer_->hot = 0;
  try {
    PortLanes& lanes = port_->mailbox_->MakeLanes();
    if (!lanes.Reserve()) {
      opener.wants_lane = true;
      return;
    }
    try {
      opener.opens = new SenderLane(port_->type_.lane);
    } catch (...) {
      lanes.GiveBack(1);
      throw;
    }
    lanes.Announce(*opener.opens);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): it goes by envelope as before
  }
}

void Departure::CancelLane(Envelope& opener) noexcept {
  if (opener.opens == nullptr) return;
  port_->mailbox_->lanes()->Cancel(*opener.opens);
  std::exchange(opener.opens, nullptr)->Release();
}

SenderLane* Departure::lane() const noexcept { return producer_->lane.get(); }

bool Departure::Announce(PortCore& port, SenderLane& lane, const LanePlace& place) {
  bool closed = false;
  port.Perform(port.mailbox_->mailbox.AnnounceMessage(closed));
  if (!closed || !lane.lane.Retract(place)) return true;
  port.refused_closed_.fetch_add(1, std::memory_order_relaxed);  // relaxed - a counter
  return false;
}

void Departure::Skip(PortCore& port, SenderLane& lane, const LanePlace& place) noexcept {
  if (!lane.lane.Skip(place)) port.Announce();
}

void Departure::Discard(Envelope* envelope) noexcept {
  envelope->~Envelope();
  block_ = envelope;
}

// The sender makes room for what it has sent. Only what takes room is destroyed. One message is
// always left: so the owner, which has seen that one is there, finds one.
void Departure::DropOldest() noexcept {
  PortBounds& bounds = *port_->bounds_;
  for (;;) {
    Envelope* oldest = nullptr;
    {
      // Looks, takes and gives in one: two senders do not both drop for the same excess.
      const std::lock_guard lock(bounds.consumers);
      if (!bounds.room.Exceeded() || !port_->mailbox_->mailbox.TryDrop(oldest)) return;
      bounds.room.Give(CreditNeed::FromWord(oldest->room));
    }
    bounds.dropped_oldest.fetch_add(1, std::memory_order_relaxed);  // relaxed - a counter
    TellOfDeadLetter(*port_, oldest->MessageType(), DeadLetterReason::kDroppedOldest);
    DestroyDeadLetter(oldest);
  }
}

void Departure::CountDroppedNewest(const std::type_info& type) const noexcept {
  port_->bounds_->dropped_newest.fetch_add(1, std::memory_order_relaxed);  // relaxed - a counter
  TellOfDeadLetter(*port_, type, DeadLetterReason::kDroppedNewest);
}

void Departure::CountFull() const noexcept { Refuse(SendResult::kFull); }

}  // namespace isolates::internal
