#ifndef ISOLATES_TESTS_FUZZ_SHAPE_CLOSURES_H_
#define ISOLATES_TESTS_FUZZ_SHAPE_CLOSURES_H_

// Closures (rule V4). They have no default: messages hold them in an optional.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "tests/fuzz/shape.h"

namespace isolates::fuzz {

// One for each way of capturing; `address` is what a plant changes.
inline auto CaptureByReference(const int& value) {
  return [&value] { return value; };
}
inline auto CapturePointer(const void* address, short number, char letter) {
  return [letter, address, number] { return address == nullptr ? number : letter; };
}
struct WithThis {
  int number = 0;
  auto Closure() const {
    return [this] { return number; };
  }
};
inline auto CaptureText(const void* address, std::string text) {
  return [text = std::move(text), address] { return text.size() + (address == nullptr ? 1 : 0); };
}

using ReferenceClosure = decltype(CaptureByReference(0));
using PointerClosure = decltype(CapturePointer(nullptr, 0, 'x'));
using ThisClosure = decltype(std::declval<WithThis>().Closure());
using TextClosure = decltype(CaptureText(nullptr, {}));

alignas(64) inline constexpr int kCapturedNumber = 7;
inline constexpr WithThis kCapturedThis{};

template <class Closure, bool Inexact>
struct ClosureShape {
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kCountable = !Inexact;
  static constexpr Drop DropOf(bool) { return Drop::kNo; }
  static void Fill(Closure&, Builder&) {}
  static constexpr PlaceOps Ops(void (*point)(void*, const void*, std::size_t), const char* name) {
    return {.name = name,
            .point = point,
            .unit = sizeof(int),
            .align = alignof(int),
            .single = true,
            .closure = true,
            .inexact = Inexact};
  }
};

template <>
struct Shape<ReferenceClosure> : ClosureShape<ReferenceClosure, false> {
  static ReferenceClosure Make(Builder&) { return CaptureByReference(kCapturedNumber); }
  static void Go(ReferenceClosure& value, Survey& survey) { survey.Leaf(&value, &kOps); }

 private:
  static void Point(void* place, const void* data, std::size_t) {
    std::construct_at(static_cast<ReferenceClosure*>(place),
                      CaptureByReference(*static_cast<const int*>(data)));
  }
  static constexpr PlaceOps kOps = Ops(&Point, "[&] closure");
};

template <>
struct Shape<PointerClosure> : ClosureShape<PointerClosure, false> {
  static PointerClosure Make(Builder&) { return CapturePointer(nullptr, 1, 'a'); }
  static void Go(PointerClosure& value, Survey& survey) { survey.Leaf(&value, &kOps); }

 private:
  static void Point(void* place, const void* data, std::size_t) {
    std::construct_at(static_cast<PointerClosure*>(place), CapturePointer(data, 2, 'b'));
  }
  static constexpr PlaceOps kOps = Ops(&Point, "[pointer] closure");
};

template <>
struct Shape<ThisClosure> : ClosureShape<ThisClosure, false> {
  static ThisClosure Make(Builder&) { return kCapturedThis.Closure(); }
  static void Go(ThisClosure& value, Survey& survey) { survey.Leaf(&value, &kOps); }

 private:
  static void Point(void* place, const void* data, std::size_t) {
    std::construct_at(static_cast<ThisClosure*>(place),
                      static_cast<const WithThis*>(data)->Closure());
  }
  static constexpr PlaceOps kOps = Ops(&Point, "[this] closure");
};

template <>
struct Shape<TextClosure> : ClosureShape<TextClosure, true> {
  static TextClosure Make(Builder& builder) {
    return CaptureText(nullptr, std::string(builder.random.Below(40), 'x'));
  }
  static void Go(TextClosure& value, Survey& survey) {
    survey.BlocksUnknown();
    survey.Leaf(&value, &kOps);
  }

 private:
  static void Point(void* place, const void* data, std::size_t) {
    std::destroy_at(&As<TextClosure>(place));
    std::construct_at(static_cast<TextClosure*>(place), CaptureText(data, "a captured text"));
  }
  static constexpr PlaceOps kOps = Ops(&Point, "owning closure");
};

template <>
struct Shape<std::function<int()>> : ClosureShape<std::function<int()>, true> {
  static void Fill(std::function<int()>& value, Builder& builder) {
    switch (builder.random.Below(3)) {
      case 0:
        value = [] { return 1; };
        break;
      case 1:
        value = [number = static_cast<int>(builder.random.Below(9))] { return number; };
        break;
      default:
        break;
    }
  }
  static void Go(std::function<int()>& value, Survey& survey) {
    survey.BlocksUnknown();
    survey.Leaf(&value, &kOps);
    survey.Print(value ? 1 : 0);
  }

 private:
  static void Point(void* place, const void* data, std::size_t) {
    As<std::function<int()>>(place) = [data] { return data == nullptr ? 1 : 2; };
  }
  static constexpr PlaceOps kOps = Ops(&Point, "std::function");
};

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_SHAPE_CLOSURES_H_
