#include "pcw/app/exhaustion.h"

#include <cstring>
#include <new>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "pcw/base/error.h"

namespace pcw::app {
namespace {

// write(2) and nothing else: there may be no memory for a stream's buffer.
void Put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;  // nobody can be told any more
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool IsRefusedBySystem(const std::error_code& code) {
  return code == std::errc::resource_unavailable_try_again ||
         code == std::errc::not_enough_memory || code == std::errc::too_many_files_open;
}

[[noreturn]] void LastResort() {
  int exit_code = ReactionOf(ErrorCode::kInternal).exit_code;
  try {
    if (const std::exception_ptr current = std::current_exception()) {
      std::rethrow_exception(current);
    } else {
      Put("pcw: internal error: the process cannot go on; please report it\n");
    }
  } catch (const std::exception& problem) {
    exit_code = ReportException(problem);
  } catch (...) {
    Put("pcw: internal error: an exception of unknown kind; please report it\n");
  }
  ::_exit(exit_code);
}

}  // namespace

int ReportException(const std::exception& problem) {
  if (dynamic_cast<const std::bad_alloc*>(&problem) != nullptr) {
    Put("pcw: the system gives no more memory; raise the limit (ulimit -v, MemoryMax, the "
        "container's memory) or free some, and run it again\n");
    return ReactionOf(ErrorCode::kUnavailable).exit_code;
  }
  const auto* const refused = dynamic_cast<const std::system_error*>(&problem);
  if (refused != nullptr && IsRefusedBySystem(refused->code())) {
    Put("pcw: the system gives no more threads (");
    Put(refused->what());
    Put("); raise the limit (ulimit -u, ulimit -v, TasksMax, the container's pids and memory), and "
        "run it again\n");
    return ReactionOf(ErrorCode::kUnavailable).exit_code;
  }
  Put("pcw: internal error: ");
  Put(problem.what());
  Put("; please report it\n");
  return ReactionOf(ErrorCode::kInternal).exit_code;
}

void InstallLastResort() { std::set_terminate(LastResort); }

}  // namespace pcw::app
