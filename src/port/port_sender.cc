#include "isolates/detail/port_sender.h"

#include <atomic>
#include <memory>
#include <utility>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/error.h"
#include "src/port/dead_letters.h"
#include "src/port/port_bounds.h"
#include "src/port/port_mailbox.h"

namespace isolates::internal {

// --- SenderHandle
// ---------------------------------------------------------------------------------

// A plain thread has no isolate whose table could hold its sender, so each SendPort object has its
// own.
struct SenderHandle::OwnSender : MainHeapObject {
  explicit OwnSender(PortQueue& queue) : producer(new Producer(queue)) {}
  std::unique_ptr<Producer> producer;
  // Finds two threads in one SendPort: set during a send.
  std::atomic<bool> busy{false};
};

SenderHandle::SenderHandle(SenderHandle&& other) noexcept
    : port_(std::move(other.port_)),
      cached_host_(std::exchange(other.cached_host_, 0)),
      cached_(std::exchange(other.cached_, nullptr)),
      own_(std::exchange(other.own_, nullptr)) {}

SenderHandle& SenderHandle::operator=(SenderHandle other) noexcept {
  std::swap(port_, other.port_);
  std::swap(cached_host_, other.cached_host_);
  std::swap(cached_, other.cached_);
  std::swap(own_, other.own_);
  return *this;
}

SenderHandle::~SenderHandle() {
  delete own_;
  if (port_) port_->DropSender();
}

PortCore& SenderHandle::RequirePort() const {
  if (!port_) throw StateError("this SendPort is empty: it was never connected to a ReceivePort");
  return *port_;
}

Producer& SenderHandle::ProducerOfThisThread() const {
  PortHost* host = current_host;
  if (host == nullptr) {
    if (own_ == nullptr) own_ = new OwnSender(port_->mailbox_->queue);
    return *own_->producer;
  }
  if (cached_host_ != host->id()) {
    // The isolate goes on with the sender of the plain thread that it was before, if it has none
    // yet: what was sent through this object first stays first.
    cached_ = own_ == nullptr ? &host->producers().For(*port_)
                              : &host->producers().For(*port_, std::move(own_->producer));
    cached_host_ = host->id();
    delete std::exchange(own_, nullptr);
  }
  return *cached_;
}

// --- Departure: room
// ------------------------------------------------------------------------------

Departure::Departure(const SenderHandle& sender, std::size_t bytes)
    : sender_(sender), port_(&sender.RequirePort()), bytes_(bytes) {}

Departure::~Departure() {
  if (waiter_ != nullptr) {
    waiter_->Forget();
    port_->bounds_->room.Abandon(*waiter_);
    waiter_->Release();
  }
  if (block_ != nullptr) producer_->blocks = new (block_) FreeBlock{producer_->blocks};
  if (busy_) SetBusy(false);
  GiveRoom();
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
  if (Unbounded()) return SendResult::kAccepted;
  PortBounds& bounds = *port_->bounds_;
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

SendResult Departure::TakeRoomAnyway() {
  if (port_->closed()) return Refuse(SendResult::kClosed);
  if (Unbounded()) return SendResult::kAccepted;
  const CreditNeed need = port_->bounds_->room.NeedOf(bytes_);
  port_->bounds_->room.TakeAnyway(need);
  room_ = need.word();
  return SendResult::kAccepted;
}

bool Departure::MayWait() const noexcept { return port_->bounds_->policy == FullPolicy::kAwait; }

SendResult Departure::StartToWait(PortHost& host, std::coroutine_handle<> coroutine) {
  auto& room = port_->bounds_->room;
  waiter_ = new RoomWaiter(host, room.NeedOf(bytes_), coroutine);
  switch (room.TakeOrWait(*waiter_)) {
    case PortBounds::Room::Answer::kFull:
      return SendResult::kFull;
    case PortBounds::Room::Answer::kTaken:
      room_ = waiter_->need.word();
      return StopWaiting(SendResult::kAccepted);
    case PortBounds::Room::Answer::kClosed:
      break;
  }
  return StopWaiting(Refuse(SendResult::kClosed));
}

SendResult Departure::StopWaiting(SendResult result) noexcept {
  waiter_->Forget();
  std::exchange(waiter_, nullptr)->Release();
  return result;
}

SendResult Departure::Verdict() noexcept {
  switch (waiter_->Verdict()) {
    case CreditVerdict::kGranted:
      room_ = waiter_->need.word();
      return StopWaiting(SendResult::kAccepted);
    case CreditVerdict::kClosed:
      return StopWaiting(Refuse(SendResult::kClosed));
    case CreditVerdict::kWaits:
      break;
  }
  // The deadline has passed. Granted at this moment: given back.
  port_->bounds_->room.Abandon(*waiter_);
  return StopWaiting(SendResult::kFull);
}

SendResult Departure::WaitForRoom(TimePoint deadline) {
  PortHost& host = RequireHost();
  host.CheckStop();
  const SendResult result = StartToWait(host, nullptr);
  if (result != SendResult::kFull) return result;
  host.Wait(
      {"room in", port_.get()},
      [](const void* waiter) {
        return static_cast<const RoomWaiter*>(waiter)->Verdict() != CreditVerdict::kWaits;
      },
      waiter_, deadline);
  return Verdict();
}

bool Departure::Suspend(std::coroutine_handle<> coroutine) {
  return StartToWait(RequireHost(), coroutine) == SendResult::kFull;
}

SendResult Departure::Resume() {
  if (waiter_ != nullptr) return Verdict();
  return room_ != 0 ? SendResult::kAccepted : SendResult::kClosed;
}

// --- Departure: the message
// -----------------------------------------------------------------------

void Departure::SetBusy(bool busy) {
  // relaxed - misuse detection only; correct programs never contend here.
  const bool before = sender_.own_->busy.exchange(busy, std::memory_order_relaxed);
  ISOLATES_CHECK(before != busy, "one SendPort object is used by two threads at once; copy it");
  busy_ = busy;
}

void* Departure::Block(std::size_t size, std::size_t align) {
  producer_ = &sender_.ProducerOfThisThread();
  if (current_host == nullptr) SetBusy(true);
  if (producer_->blocks == nullptr) producer_->blocks = port_->mailbox_->pool.TakeAll();
  if (FreeBlock* const block = producer_->blocks) {
    producer_->blocks = block->next;
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
  PortMailbox::Box::Duty duty;
  try {
    duty = mailbox.Commit(*producer_, envelope);
  } catch (...) {
    mailbox.Cancel();
    throw;
  }
  room_ = 0;  // goes with the message
  if (duty == PortMailbox::Box::Duty::kList) {
    port_->AddRef();  // while the port stands in the list
    port_->host_->Push(port_.get());
  } else if (duty == PortMailbox::Box::Duty::kWake) {
    port_->host_->Wake();
  }
  const PortBounds* const bounds = port_->bounds_.get();
  if (bounds != nullptr && bounds->policy == FullPolicy::kDropOldest && bounds->room.Exceeded()) {
    DropOldest();
  }
  return true;
}

void Departure::Discard(Envelope* envelope) noexcept {
  envelope->~Envelope();
  block_ = envelope;
}

// The sender makes room for what it has sent. One message is always left: so the owner, which has
// seen that one is there, finds one.
void Departure::DropOldest() noexcept {
  PortBounds& bounds = *port_->bounds_;
  for (;;) {
    Envelope* oldest = nullptr;
    {
      // Looks, takes and gives in one: two senders do not both drop for the same excess.
      const std::lock_guard lock(bounds.consumers);
      if (!bounds.room.Exceeded() || port_->mailbox_->mailbox.Length() < 2) return;
      oldest = port_->DequeueAlone();
    }
    if (oldest == nullptr) return;
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
