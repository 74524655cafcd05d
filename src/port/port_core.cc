#include "isolates/detail/port_core.h"

#include <sched.h>

#include <atomic>

#include "isolates/detail/check.h"
#include "isolates/detail/heap.h"
#include "isolates/error.h"
#include "src/port/port_mailbox.h"

namespace isolates::internal {
namespace {

// relaxed - a number generator and a counter; nothing is published by them.
std::atomic<std::uint64_t> next_port_id{1};
std::atomic<std::uint64_t> dead_letters{0};

}  // namespace

void DestroyDeadLetter(Envelope* envelope) noexcept {
  delete envelope;
  CountDeadLetter();
}

void CountDeadLetter() noexcept { dead_letters.fetch_add(1, std::memory_order_relaxed); }

std::uint64_t DeadLetterCount() noexcept { return dead_letters.load(std::memory_order_relaxed); }

// --- PortCore
// -------------------------------------------------------------------------------------

Ref<PortCore> PortCore::Create(std::string_view debug_name) {
  PortHost& host = RequireHost();
  host.CheckStop();
  const HeapScope main_heap(nullptr);
  host.ReservePort();
  auto core = Ref<PortCore>::Adopt(new PortCore(host, debug_name));
  host.AddPort(*core);
  return core;
}

PortCore::PortCore(PortHost& host, std::string_view debug_name)
    : id_(next_port_id.fetch_add(1, std::memory_order_relaxed)),
      host_(&host),
      debug_name_(debug_name),
      mailbox_(new PortMailbox) {}

PortCore::~PortCore() { ISOLATES_DCHECK(closed(), "a port died open"); }

bool PortCore::closed() const noexcept { return mailbox_->mailbox.refuses(); }

void PortCore::CheckOwner() const {
  if (current_host != host_.get()) {
    throw StateError("a ReceivePort may be used only in the isolate that created it");
  }
}

std::unique_ptr<Envelope> PortCore::TryReceive() noexcept {
  Envelope* envelope = nullptr;
  return std::unique_ptr<Envelope>(mailbox_->mailbox.TryReceive(envelope) ? envelope : nullptr);
}

bool PortCore::HasMessage() const noexcept { return mailbox_->mailbox.HasMessage(); }

void PortCore::List() noexcept {
  if (mailbox_->mailbox.TryList()) {
    AddRef();  // while the port stands in the list
    host_->Requeue(this);
  }
}

void PortCore::SetHandler(std::unique_ptr<MessageHandler> handler) {
  if (handling_ && retired_handler_ == nullptr) {
    retired_handler_ = std::move(handler_);  // it is running now; freed after it returns
  }
  handler_ = std::move(handler);
  UpdateKeepAlive();
  if (handler_ != nullptr && HasMessage()) List();
}

void PortCore::SetWaiter(std::coroutine_handle<> waiter) {
  if (waiter_ || handler_ != nullptr) {
    throw StateError("this port is listened to already");
  }
  waiter_ = waiter;
  UpdateKeepAlive();
  if (HasMessage()) List();
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
  // A coroutine that waits counts even if the port is closed: it is still to learn of it.
  const bool counts = keep_alive_ && ((handler_ != nullptr && !closed()) || waiter_);
  if (counts != counted_) {
    counted_ = counts;
    host_->AddKeepAlive(counts ? 1 : -1);
  }
}

void PortCore::SetAwaited() noexcept { mailbox_->mailbox.SetAwaited(); }

void PortCore::ClearAwaited() noexcept { mailbox_->mailbox.ClearAwaited(); }

bool PortCore::WaitForMessage(TimePoint deadline) {
  struct Awaited {
    explicit Awaited(PortCore& owner) : port(owner) { port.SetAwaited(); }
    ~Awaited() { port.ClearAwaited(); }
    PortCore& port;
  } awaited(*this);
  return host_->Wait(
      [](const void* self) {
        const auto* port = static_cast<const PortCore*>(self);
        return port->HasMessage() || port->closed();
      },
      this, deadline);
}

void PortCore::Close() noexcept {
  if (closed()) return;
  const Ref<PortCore> self(this);
  auto& mailbox = mailbox_->mailbox;
  mailbox.Refuse();
  while (mailbox.Settle([] { sched_yield(); })) {
    Envelope* envelope = nullptr;
    if (mailbox.TryReceive(envelope)) DestroyDeadLetter(envelope);
  }
  if (handling_) {
    if (retired_handler_ == nullptr) retired_handler_ = std::move(handler_);
  }
  handler_ = nullptr;
  UpdateKeepAlive();
  host_->RemovePort(*this);
  // A coroutine that waits learns that the port has ended, in an event of its own.
  if (waiter_) List();
}

void PortCore::OnEvent() {
  const auto self = Ref<PortCore>::Adopt(this);  // taken over from the list
  mailbox_->mailbox.Unlist();
  if (waiter_) {
    if (HasMessage() || closed()) {
      const auto waiter = std::exchange(waiter_, nullptr);
      UpdateKeepAlive();
      waiter.resume();
    }
    return;
  }
  if (handler_ == nullptr) return;  // the messages wait for a handler
  std::unique_ptr<Envelope> envelope = TryReceive();
  if (envelope == nullptr) return;
  // One message an event, so that one busy port does not hold up the others.
  if (HasMessage()) List();
  struct Handling {
    PortCore& port;
    ~Handling() {
      port.handling_ = false;
      port.retired_handler_ = nullptr;
    }
  } handling{*this};
  handling_ = true;
  handler_->Handle(*this, std::move(envelope));
}

void PortCore::OnDiscard() noexcept { Release(); }

// --- SenderHandle
// ---------------------------------------------------------------------------------

// A plain thread has no isolate whose table could hold its sender, so each SendPort object has its
// own.
struct SenderHandle::OwnSender : MainHeapObject {
  explicit OwnSender(PortMailbox::Queue& queue) : producer(new Producer(queue)) {}
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

SenderHandle::~SenderHandle() { delete own_; }

Producer& SenderHandle::ProducerOfThisThread() const {
  PortHost* host = current_host;
  if (host == nullptr) {
    if (own_ == nullptr) {
      own_ = new OwnSender(port_->mailbox().queue);
    }
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

bool SenderHandle::closed() const {
  if (!port_) throw StateError("this SendPort is empty: it was never connected to a ReceivePort");
  return port_->closed();
}

bool SenderHandle::Send(Envelope* envelope) const {
  if (!port_) throw StateError("this SendPort is empty: it was never connected to a ReceivePort");
  Producer& producer = ProducerOfThisThread();  // may need memory
  std::atomic<bool>* busy = nullptr;
  if (current_host == nullptr) {
    busy = &own_->busy;
    // relaxed - misuse detection only; correct programs never contend here.
    const bool two_at_once = busy->exchange(true, std::memory_order_relaxed);
    ISOLATES_CHECK(!two_at_once, "one SendPort object is used by two threads at once; copy it");
  }
  const Ref<PortCore> port = port_;  // once the message is out, the receiver may forget the port
  auto& mailbox = port->mailbox().mailbox;
  const bool accepted = mailbox.Reserve();
  using Duty = decltype(PortMailbox::mailbox)::Duty;
  Duty duty = Duty::kNone;
  if (accepted) {
    try {
      duty = mailbox.Commit(producer, envelope);
    } catch (...) {
      mailbox.Cancel();
      if (busy != nullptr) busy->store(false, std::memory_order_relaxed);
      throw;
    }
  }
  if (busy != nullptr) busy->store(false, std::memory_order_relaxed);
  if (duty == Duty::kList) {
    port->AddRef();  // while the port stands in the list
    port->host_->Push(port.get());
  } else if (duty == Duty::kWake) {
    port->host_->Wake();
  }
  return accepted;
}

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
