#include "tools/top/attach.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace isolates::top {
namespace {

constexpr const char* kFolder = "/dev/shm";
constexpr std::string_view kPrefix = "isolates.";

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
}

bool Runs(const std::string& pid) {
  return kill(static_cast<pid_t>(std::atoi(pid.c_str())), 0) == 0 || errno == EPERM;
}

// For reading. Throws AttachError.
class File {
 public:
  File(const std::string& path, const std::string& missing)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ >= 0) return;
    throw AttachError(errno == ENOENT ? missing
                                      : "cannot open " + path + ": " + std::strerror(errno));
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(descriptor_); }
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

}  // namespace

std::string PathOf(const std::string& pid) {
  return std::string(kFolder) + "/" + std::string(kPrefix) + pid;
}

std::vector<std::string> RunningPrograms() {
  std::vector<std::string> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(kFolder), &closedir);
  while (const dirent* const entry = folder != nullptr ? readdir(folder.get()) : nullptr) {
    const std::string_view name(entry->d_name);
    if (name.substr(0, kPrefix.size()) != kPrefix) continue;
    std::string pid(name.substr(kPrefix.size()));
    const bool readable = access(PathOf(pid).c_str(), R_OK) == 0;
    if (IsNumber(pid) && readable && Runs(pid)) pids.push_back(std::move(pid));
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

Attached::Attached(const std::string& target) {
  const bool is_pid = IsNumber(target);
  if (is_pid && !Runs(target)) throw AttachError("there is no process " + target);
  const std::string path = is_pid ? PathOf(target) : target;
  const File file(path, is_pid ? "process " + target +
                                     " shows no counters: it must run with ISOLATES_STATS=1 in its "
                                     "environment (or RuntimeOptions::stats_file)"
                               : "there is no file " + path);
  struct stat facts;
  if (fstat(file.descriptor(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    throw AttachError(path + " is no file of counters");
  }
  bytes_ = static_cast<std::size_t>(facts.st_size);
  if (bytes_ < sizeof(internal::StatsHeader)) {
    throw AttachError(path + ": it is too short to hold counters of isolates");
  }
  void* const mapped = mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (mapped == MAP_FAILED) throw AttachError("cannot map " + path + ": " + std::strerror(errno));
  header_ = static_cast<const internal::StatsHeader*>(mapped);
  if (const std::string refusal = internal::RefuseStats(*header_, bytes_); !refusal.empty()) {
    munmap(mapped, bytes_);
    throw AttachError(path + ": " + refusal);
  }
}

Attached::~Attached() {
  munmap(const_cast<internal::StatsHeader*>(header_), bytes_);  // NOLINT: the call wants it so
}

bool Attached::gone() const {
  return internal::StatsGet(header_->ended) != 0 ||
         !Runs(std::to_string(internal::StatsGet(header_->pid)));
}

}  // namespace isolates::top
