// Builders and selections that cannot work.

#include "isolates/make_parcel.h"

#include <string>
#include <string_view>
#include <vector>

#include "isolates/isolates.h"

namespace {

using isolates::MakeParcel;

struct Document {
  std::string title;
  std::vector<std::string> lines;
};
struct Index {
  std::string text;
  std::vector<std::string_view> words;
};

[[maybe_unused]] void Build() {
  (void)MakeParcel([] { return Document{}; });
#ifdef COROUTINE_BUILDER
  (void)MakeParcel([]() -> isolates::Task<Document> { co_return Document{}; });
#endif
#ifdef FUTURE_BUILDER
  (void)MakeParcel([] { return isolates::Isolate::Run([] { return Document{}; }); });
#endif
#ifdef VOID_BUILDER
  MakeParcel([] {});
#endif
}

[[maybe_unused]] void Split(isolates::Parcel<Document>& parcel, isolates::Parcel<Index>& index) {
  (void)parcel.Split(&Document::lines);
  (void)index.get();
#ifdef SPLIT_OF_A_COPY
  (void)parcel.Split([](Document& document) { return document.lines; });
#endif
#ifdef SPLIT_WITH_VIEWS
  (void)index.Split(&Index::text);
#endif
}

}  // namespace
