// The computation behind RunMain.

#ifndef ISOLATES_DETAIL_RUNTIME_MAIN_H_
#define ISOLATES_DETAIL_RUNTIME_MAIN_H_

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "isolates/detail/computation.h"
#include "isolates/future.h"

namespace isolates::internal {

template <class Main>
class MainComputation final : public Computation {
  using Raw = std::invoke_result_t<Main&>;

 public:
  MainComputation(Main main, int& status) : main_(std::move(main)), status_(status) {}

  void Start() override {
    if constexpr (kIsAsynchronous<Raw>) {
      Await(std::invoke(*main_), status_);
    } else if constexpr (std::is_void_v<Raw>) {
      std::invoke(*main_);
    } else {
      status_ = std::invoke(*main_);
    }
  }
  void DropCallable() noexcept override { main_.reset(); }
  bool Conclude(const RemoteError*, Heap*) noexcept override { return false; }

 private:
  template <class Pending>
  static Root Await(Pending pending, int& status) {
    if constexpr (std::is_void_v<UnwrappedType<Raw>>) {
      co_await std::move(pending);
    } else {
      status = co_await std::move(pending);
    }
  }

  std::optional<Main> main_;
  int& status_;
};

// Runs the calling thread's isolate until nothing keeps it alive, then ends it.
void RunAsMain(std::unique_ptr<Computation> computation);

}  // namespace isolates::internal

#endif  // ISOLATES_DETAIL_RUNTIME_MAIN_H_
