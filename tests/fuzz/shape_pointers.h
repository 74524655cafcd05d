#ifndef ISOLATES_TESTS_FUZZ_SHAPE_POINTERS_H_
#define ISOLATES_TESTS_FUZZ_SHAPE_POINTERS_H_

// Shape<T> of pointers, views and shared owners.

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "tests/fuzz/shape.h"

namespace isolates::fuzz {

// Who holds a pointer to it by const reference can move what it owns.
template <class T>
constexpr Drop ShallowDrop(bool vouched) {
  return !vouched && !std::is_const_v<T> && !std::is_trivially_destructible_v<T> ? Drop::kNo
                                                                                 : Drop::kYes;
}

// ---- owning ----

template <class T>
struct Shape<std::unique_ptr<T>> {
  using Unique = std::unique_ptr<T>;
  static constexpr TransferClass kClass = Worse(TransferClass::kOwned, Shape<T>::kClass);
  static constexpr bool kCountable = Shape<T>::kCountable;
  static constexpr Drop DropOf(bool vouched) {
    return Worse(ShallowDrop<T>(vouched), Shape<T>::DropOf(vouched));
  }
  static void Fill(Unique& value, Builder& builder) {
    if (!builder.Have()) return;
    value = std::make_unique<T>();
    FillIn(*value, builder);
  }
  static void Go(Unique& value, Survey& survey) {
    const std::size_t place = survey.Enter(&value, &kOps);
    survey.Print(value == nullptr ? 0 : 1);
    if (value != nullptr) {
      if (!survey.IsBadOwner(&value)) {
        Wrong outer = Wrong::kCount;
        const bool foreign = survey.IsForeign(&value);
        if (foreign) outer = survey.SetWrongBlocks(Wrong::kStranger);
        survey.Owns(value.get(), sizeof(T), true);
        survey.Blocks(1);
        GoInto(*value, survey);
        if (foreign) survey.SetWrongBlocks(outer);
      }
    }
    survey.Leave(place);
  }

 private:
  static constexpr PlaceOps Ops() {
    PlaceOps ops{.name = "unique_ptr"};
    if constexpr (kCountable) ops.refill = &Refill<Unique>;
    if constexpr (kPlainShape<T>) {
      ops.own = [](void* place, void* address) -> void* {
        T* const old = As<Unique>(place).release();
        As<Unique>(place).reset(static_cast<T*>(address));
        return old;
      };
      ops.drop = [](void* address) { delete static_cast<T*>(address); };
      ops.unit = sizeof(T);
      ops.align = alignof(T);
    }
    return ops;
  }
  static constexpr PlaceOps kOps = Ops();
};

// (AddressSanitizer would have nobody else read it.)
[[gnu::no_sanitize_address]] inline std::size_t NotedLength(const void* first) {
  return static_cast<const std::size_t*>(first)[-1];
}

template <class T>
struct Shape<std::unique_ptr<T[]>> {
  using Unique = std::unique_ptr<T[]>;
  static constexpr bool kCounted = !std::is_trivially_destructible_v<T>;
  static constexpr TransferClass kClass = Worse(TransferClass::kOwned, Shape<T>::kClass);
  static constexpr bool kCountable = Shape<T>::kCountable;
  static constexpr Drop DropOf(bool vouched) {
    return Worse(ShallowDrop<T>(vouched), Shape<T>::DropOf(vouched));
  }
  static void Fill(Unique& value, Builder& builder) {
    const std::size_t size = builder.Size();
    if (size == 0) return;
    value = std::make_unique<T[]>(size);
    // The length of plain ones is nowhere to be found: they stay zero.
    if constexpr (kCounted) {
      for (std::size_t i = 0; i < size; ++i) FillIn(value[i], builder);
    }
  }
  static void Go(Unique& value, Survey& survey) {
    const std::size_t place = survey.Enter(&value, &kOps);
    survey.Print(value == nullptr ? 0 : 1);
    if (value != nullptr) {
      Wrong outer = Wrong::kCount;
      const bool foreign = survey.IsForeign(&value);
      if (foreign) outer = survey.SetWrongBlocks(Wrong::kStranger);
      if (kCounted || !survey.IsBadOwner(&value)) {
        survey.Blocks(1);
        if constexpr (kCounted) {
          // As many as the compiler has noted in front of them.
          const std::size_t size = NotedLength(value.get());
          survey.Owns(value.get(), size * sizeof(T), true);
          std::span<T> elements(value.get(), size);
          GoElements(elements, survey);
        } else {
          survey.Owns(value.get(), sizeof(T), false);
        }
      }
      if (foreign) survey.SetWrongBlocks(outer);
    }
    survey.Leave(place);
  }

 private:
  static constexpr PlaceOps Ops() {
    PlaceOps ops{.name = "unique_ptr<[]>"};
    if constexpr (kCountable) ops.refill = &Refill<Unique>;
    if constexpr (!kCounted) {
      ops.own = [](void* place, void* address) -> void* {
        T* const old = As<Unique>(place).release();
        As<Unique>(place).reset(static_cast<T*>(address));
        return old;
      };
      ops.drop = [](void* address) { delete[] static_cast<T*>(address); };
      ops.unit = sizeof(T);
      ops.align = alignof(T);
    }
    return ops;
  }
  static constexpr PlaceOps kOps = Ops();
};

// ---- views ----

template <class T>
constexpr std::size_t UnitOf() {
  if constexpr (std::is_void_v<T>) {
    return 1;
  } else {
    return sizeof(T);
  }
}
template <class T>
constexpr std::size_t AlignOf() {
  if constexpr (std::is_void_v<T>) {
    return 1;
  } else {
    return alignof(T);
  }
}

template <class View, class T, bool Single>
struct ViewShape {
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kCountable = true;
  static constexpr Drop DropOf(bool vouched) { return ShallowDrop<T>(vouched); }
  static void Fill(View&, Builder&) {}
  static constexpr PlaceOps Ops(void (*point)(void*, const void*, std::size_t), const char* name) {
    return {
        .name = name, .point = point, .unit = UnitOf<T>(), .align = AlignOf<T>(), .single = Single};
  }
  static T* Cast(const void* data) { return static_cast<T*>(const_cast<void*>(data)); }
};

template <class T>
struct Shape<T*> : ViewShape<T*, T, true> {
  static void Go(T*& value, Survey& survey) {
    survey.Leaf(const_cast<std::remove_const_t<T*>*>(&value), &kOps);
    survey.PrintView(value, value == nullptr ? 0 : UnitOf<T>());
  }

 private:
  static void Point(void* place, const void* data, std::size_t) {
    As<T*>(place) = ViewShape<T*, T, true>::Cast(data);
  }
  static constexpr PlaceOps kOps = ViewShape<T*, T, true>::Ops(&Point, "pointer");
};

template <class C>
struct Shape<std::basic_string_view<C>> : ViewShape<std::basic_string_view<C>, const C, false> {
  using View = std::basic_string_view<C>;
  static void Go(View& value, Survey& survey) {
    survey.Leaf(&value, &kOps);
    survey.PrintView(value.data(), value.size() * sizeof(C));
  }

 private:
  static void Point(void* place, const void* data, std::size_t count) {
    As<View>(place) = View(static_cast<const C*>(data), count);
  }
  static constexpr PlaceOps kOps = ViewShape<View, const C, false>::Ops(&Point, "string_view");
};

template <class T>
struct Shape<std::span<T>> : ViewShape<std::span<T>, T, false> {
  static void Go(std::span<T>& value, Survey& survey) {
    survey.Leaf(&value, &kOps);
    survey.PrintView(value.data(), value.size_bytes());
  }

 private:
  static void Point(void* place, const void* data, std::size_t count) {
    As<std::span<T>>(place) = std::span<T>(ViewShape<std::span<T>, T, false>::Cast(data), count);
  }
  static constexpr PlaceOps kOps = ViewShape<std::span<T>, T, false>::Ops(&Point, "span");
};

// A constant to refer to until the graph offers something better.
template <class T>
alignas(64) inline constexpr T kDefaultTarget{};

template <class T>
struct Shape<std::reference_wrapper<const T>>
    : ViewShape<std::reference_wrapper<const T>, const T, true> {
  using View = std::reference_wrapper<const T>;
  static View Make(Builder&) { return std::cref(kDefaultTarget<T>); }
  static void Go(View& value, Survey& survey) {
    survey.Leaf(&value, &kOps);
    survey.PrintView(&value.get(), sizeof(T));
  }

 private:
  static void Point(void* place, const void* data, std::size_t) {
    As<View>(place) = std::cref(*static_cast<const T*>(data));
  }
  static constexpr PlaceOps kOps = ViewShape<View, const T, true>::Ops(&Point, "reference_wrapper");
};

// A tuple with a reference; inside of an optional, because it has no default.
template <class T>
using WithReference = std::tuple<int, const T&>;
template <class T>
struct Shape<WithReference<T>> : ViewShape<WithReference<T>, const T, true> {
  using View = WithReference<T>;
  static View Make(Builder&) { return {7, kDefaultTarget<T>}; }
  static void Go(View& value, Survey& survey) {
    const std::size_t old = survey.Push("<1>");
    survey.Leaf(&value, &kOps);
    survey.PrintView(&std::get<1>(value), sizeof(T));
    survey.Pop(old);
  }

 private:
  static void Point(void* place, const void* data, std::size_t) {
    std::construct_at(static_cast<View*>(place), 7, *static_cast<const T*>(data));
  }
  static constexpr PlaceOps kOps = ViewShape<View, const T, true>::Ops(&Point, "reference");
};

// ---- shared ----

template <class T>
struct Shape<std::shared_ptr<T>> {
  using Pointer = std::shared_ptr<T>;
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kCountable = false;
  static constexpr Drop DropOf(bool) { return Drop::kNo; }
  static void Fill(Pointer& value, Builder& builder) {
    if (!builder.Have()) return;
    switch (builder.random.Below(3)) {
      case 0:
        value = std::shared_ptr<T>(new T());
        break;
      case 1:
        value = std::make_unique<T>();
        break;
      default:
        value = std::make_shared<T>();
    }
    FillIn(*value, builder);
  }
  static void Go(Pointer& value, Survey& survey) {
    survey.BlocksUnknown();
    const std::size_t place = survey.Enter(&value, &kOps, value != nullptr);
    survey.Print(value == nullptr ? 0 : 1);
    if (survey.IsOpaque(&value)) {
      survey.Expect(Wrong::kOpaque);
    } else if (survey.IsOwnerless(&value)) {
      survey.Expect(Wrong::kView);
    } else if (value != nullptr && survey.Shared(value.get())) {
      survey.Owns(value.get(), sizeof(T), true);
      GoInto(*value, survey);
    }
    survey.Leave(place);
  }

 private:
  static constexpr PlaceOps kOps = {
      .name = "shared_ptr",
      .type = &kTypeTag<T>,
      .hold = [](const void* place) { return std::shared_ptr<const void>(As<Pointer>(place)); },
      .drain =
          [](void* place) { return std::shared_ptr<const void>(std::move(As<Pointer>(place))); },
      .share =
          [](void* place, const void* other) {
            const Pointer copy = As<Pointer>(other);
            As<Pointer>(place) = copy;
          },
      .alias =
          [](void* place) {
            struct Whole {
              int number = 0;
              T part{};
            };
            const auto whole = std::make_shared<Whole>();
            As<Pointer>(place) = Pointer(whole, &whole->part);
          },
      .deleter =
          [](void* place) {
            As<Pointer>(place) = Pointer(new T(), [](T* object) { delete object; });
          },
      .ownerless =
          [](void* place, const void* data) {
            As<Pointer>(place) =
                Pointer(std::shared_ptr<T>(), static_cast<T*>(const_cast<void*>(data)));
          },
  };
};

template <class T>
struct Shape<std::weak_ptr<T>> {
  using Pointer = std::weak_ptr<T>;
  static constexpr TransferClass kClass = TransferClass::kChecked;
  static constexpr bool kCountable = false;
  static constexpr Drop DropOf(bool) { return Drop::kNo; }
  static void Fill(Pointer& value, Builder& builder) {
    if (builder.random.OneIn(4)) value = std::make_shared<T>();  // expired at once
  }
  static void Go(Pointer& value, Survey& survey) {
    survey.BlocksUnknown();
    survey.Leaf(&value, &kOps);
    const std::shared_ptr<T> object = value.lock();
    survey.Print(object == nullptr ? 0 : 1);
    if (object != nullptr) survey.Weak(object.get());
  }

 private:
  static constexpr PlaceOps kOps = {
      .name = "weak_ptr",
      .type = &kTypeTag<T>,
      .observe = [](void* place,
                    const void* shared) { As<Pointer>(place) = As<std::shared_ptr<T>>(shared); },
      .observe_new = [](void* place) -> std::shared_ptr<const void> {
        const auto outside = std::make_shared<T>();
        As<Pointer>(place) = outside;
        return outside;
      },
  };
};

}  // namespace isolates::fuzz

#endif  // ISOLATES_TESTS_FUZZ_SHAPE_POINTERS_H_
