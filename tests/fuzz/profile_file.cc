// The shared configuration files of AWS's tools, and the commands that stand in them.
#include "fuzz/target.h"
#include "pcw/aws/credentials/expiration.h"
#include "pcw/aws/ini.h"
#include "pcw/base/assert.h"

PCW_FUZZ_TARGET(profile_file) {
  using namespace pcw;
  if (const auto sections = aws::ParseIni(input, "config")) {
    for (std::size_t at = 1; at < sections->size(); ++at)
      PCW_ASSERT((*sections)[at].first != (*sections)[at - 1].first);
  }
  static_cast<void>(aws::SplitShellWords(input));
  static_cast<void>(aws::ParseExpiration(input));
}
