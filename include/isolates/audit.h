#ifndef ISOLATES_AUDIT_H_
#define ISOLATES_AUDIT_H_

// The audit: which writable globals and thread_locals a value leads to, also where its types hide
// it from the verification of a send.
//
// A program that is being moved to isolates asks it where state is still shared. It refuses
// nothing, and what it lists need not be wrong.
//
// Besides the edges that the types declare, every aligned word of the value and of each block that
// it owns is taken for a possible address. So it sees
//   - what closures captured in place, pointers kept as integers, members of trusted classes.
// A word may be stale or a mere number: then a finding is none.
// It cannot see
//   - memory of which the types do not tell (what an UnsafeTransfer leads to),
//   - what a function does when it is called: it can use any global without holding its address,
//   - addresses in packed (unaligned), compressed or tagged form,
//   - thread_locals of other threads, if their library was loaded while the program ran, or if the
//     library does not know the thread.
// Constants, vtables, functions and the standard library's own empty objects are no findings. A
// const variable with a constructor that runs at start lies in writable memory and is one:
// constexpr or constinit cure it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "isolates/detail/transfer_require.h"
#include "isolates/detail/transfer_verify.h"

namespace isolates {

enum class AuditKind : std::uint8_t {
  kEdge,         // an edge that the types declare
  kWordOfValue,  // a word of the value itself, found by the scan
  kWordOfBlock,  // a word of a block that it owns, found by the scan
};

// One place where the value leads to a writable global, or may.
struct AuditFinding {
  AuditKind kind = AuditKind::kEdge;
  std::string path;        // of the edge, or of the block that holds the word: "value.rows[2]"
  std::string type;        // that declares the edge, or owns the block
  std::size_t offset = 0;  // of the word, in the value or block
  std::string place;       // "the writable static `g_cache` + 16"
  std::string symbol;      // "g_cache", if known
  std::size_t bytes = 0;   // of that variable, if known

  // "value.rows[2]: a word of the block of std::vector<Row>, at byte 16, leads to the writable
  // static `g_cache` (64 bytes)"
  std::string ToString() const;
};

// What AuditGlobals found.
struct AuditReport {
  std::vector<AuditFinding> findings;  // at most 1000
  std::size_t blocks = 0;              // owned by the graph
  std::size_t words = 0;               // looked at

  bool ok() const noexcept { return findings.empty(); }
  // One finding in each line.
  std::string ToString() const;
};

namespace internal {
AuditReport Audit(const void* value, std::size_t bytes, std::string_view type, RunWalk run,
                  std::string_view root_label);
}  // namespace internal

// Lists the writable globals and thread_locals that `value` leads to; see above for what it sees.
// Refuses nothing. `root_label` begins the paths. In the isolate that holds the value.
template <class T>
AuditReport AuditGlobals(const T& value, std::string_view root_label = "value") {
  internal::RequireTransferable<T>();
  return internal::Audit(std::addressof(value), sizeof(T), internal::TypeNameOf<T>(),
                         &internal::RunWalkOf<T>, root_label);
}

}  // namespace isolates

#endif  // ISOLATES_AUDIT_H_
