// What the library has found on this machine, and what it was refused. To be run where the program
// is going to run, before anything is measured.

#include <iostream>

#include "isolates/isolates.h"

namespace {

void Report() {
  const isolates::RuntimeInfo runtime = isolates::runtime_info();
  std::cout << "processors:";
  for (const int cpu : runtime.cpus) std::cout << ' ' << cpu;
  std::cout << "\nquota: " << runtime.quota << '\n';
  std::cout << "warnings:";
  if (runtime.warnings.empty()) std::cout << " none";
  for (const auto& warning : runtime.warnings) std::cout << ' ' << warning << ';';
  std::cout << '\n';

  const isolates::AllocatorReport allocator = isolates::allocator_report();
  std::cout << "allocator: " << allocator.version << '\n'
            << "arena reserve: " << allocator.arena_reserve_bytes << " bytes\n"
            << "huge pages: " << (allocator.thp_allowed ? "allowed" : "not allowed") << '\n';
}

}  // namespace

int main() { return isolates::RunMain(Report); }
