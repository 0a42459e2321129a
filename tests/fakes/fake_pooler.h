// Server sessions as some pooler hands them out.
#pragma once

#include <deque>

#include "pcw/pg/pooler.h"

namespace pcw::pg {

/// Answers with the process ids that a test gives, the last for ever.
class FakeServerSessions final : public ServerSessions {
 public:
  Result<std::int64_t> Pid() override {
    Result<std::int64_t> pid = pids.front();
    if (pids.size() > 1) pids.pop_front();
    ++asked;
    return pid;
  }
  bool OpenOther() override { return has_other; }
  Result<std::int64_t> OtherPid() override { return other; }

  std::deque<Result<std::int64_t>> pids;
  bool has_other = true;
  Result<std::int64_t> other = 0;
  int asked = 0;
};

}  // namespace pcw::pg
