// Metrics in Prometheus's text form: the state of the data, asked of the database, and what this
// process answered.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "pcw/api/route.h"

namespace pcw::api {

/// Thread-safe. A scrape within five seconds of another gets the same text: scraping costs the
/// database no more however often it is done.
class Metrics {
 public:
  explicit Metrics(const ApiDeps& deps) : deps_(deps) {}

  /// Counts an answer of this process.
  void Count(std::string_view method, std::string_view route, int status);

  /// Of the caller's tenant, and nobody else's.
  Result<std::string> Scrape(Call& call);

 private:
  struct Held {
    std::string text;
    SteadyTime at;
  };
  std::string OwnText();

  const ApiDeps& deps_;
  std::mutex mutex_;
  std::map<std::tuple<std::string_view, std::string_view, int>, std::uint64_t> answers_;
  std::map<std::string, Held> held_;
};

}  // namespace pcw::api
