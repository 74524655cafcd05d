// The parts of control that both handles and launches need: what is told to whom when an isolate
// ends.

#ifndef ISOLATES_DETAIL_ISOLATE_CONTROL_H_
#define ISOLATES_DETAIL_ISOLATE_CONTROL_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "isolates/detail/main_heap.h"
#include "isolates/detail/ref.h"
#include "isolates/error.h"
#include "isolates/exit_info.h"
#include "isolates/idle_strategy.h"
#include "isolates/parcel.h"
#include "isolates/port.h"

namespace isolates {

namespace internal {

// Something that was to be said about an isolate could not be sent, by the exception that is being
// handled: it is reported as unhandled.
void ReportUndelivered() noexcept;

// A message that waits for its occasion. It is copied when it is sent, so one notice may serve
// several isolates.
class Notice : public RefCounted, public MainHeapObject {
 public:
  virtual void Send() noexcept = 0;
  virtual std::uint64_t port_id() const noexcept = 0;
};

template <class T>
class TypedNotice final : public Notice {
 public:
  TypedNotice(SendPort<T> port, T message) : port_(std::move(port)), message_(std::move(message)) {}
  void Send() noexcept override {
    try {
      // Copies: several isolates may send this notice at once.
      PortAccess::SendNotice(SendPort<T>(port_), message_);
    } catch (...) {  // the copy throws, or there is no memory
      ReportUndelivered();
    }
  }
  std::uint64_t port_id() const noexcept override { return port_.id(); }

 private:
  SendPort<T> port_;
  T message_;
};

}  // namespace internal

// Says what is sent to which port when an isolate has ended: ExitListener(port, response).
class ExitListener {
 public:
  template <std::copy_constructible T>
  ExitListener(SendPort<T> port, T response) {
    internal::RequireTransferable<T>();
    internal::VerifyForSend(response, "response", VerifyLevel::kDefault);
    internal::MarkLeaving(response);
    notice_ = internal::MakeRef<internal::TypedNotice<T>>(std::move(port), std::move(response));
  }

  void Send() const noexcept { notice_->Send(); }
  std::uint64_t port_id() const noexcept { return notice_->port_id(); }

 private:
  internal::Ref<internal::Notice> notice_;
};

namespace internal {

// Who is told the end of an isolate, once, also if it has ended already.
class ExitMonitor : public MainHeapObject {
 public:
  ExitMonitor() = default;
  ExitMonitor(const ExitMonitor&) = delete;
  ExitMonitor& operator=(const ExitMonitor&) = delete;
  virtual ~ExitMonitor() = default;
  // On any thread; true if somebody will know. Takes itself over.
  virtual bool Tell(std::unique_ptr<ExitMonitor> self, const ExitInfo& info) noexcept = 0;
  // The port that it tells; 0: none.
  virtual std::uint64_t port_id() const noexcept { return 0; }

  std::unique_ptr<ExitMonitor> next;  // of the same isolate, which links them
};

std::unique_ptr<ExitMonitor> MakePortMonitor(SendPort<ExitInfo> port);

struct LaunchOptions {
  std::string name;     // empty: "isolate-<id>"
  bool paused = false;  // until resumed with the isolate's own pause capability
  bool errors_are_fatal = true;
  VerifyLevel verify = VerifyLevel::kDefault;
  CarryPolicy carry = CarryPolicy::kCarry;
  bool light = false;   // no heap of its own
  bool hosted = false;  // runs where the program says (EventLoop); light
  bool urgent = false;  // passes isolates that are not
  // A thread of its own on a processor of its own: its number, or kAnyProcessor.
  std::optional<int> dedicated;
  static constexpr int kAnyProcessor = -1;
  std::shared_ptr<const IdleStrategy> idle;  // of a dedicated isolate
  std::optional<ExitListener> on_exit;
  std::optional<SendPort<RemoteError>> on_error;
  std::optional<SendPort<ExitInfo>> monitor;
  bool end_with_parent = false;
};

}  // namespace internal
}  // namespace isolates

#endif  // ISOLATES_DETAIL_ISOLATE_CONTROL_H_
