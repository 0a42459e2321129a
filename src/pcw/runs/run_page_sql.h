// The statement that reads a page of runs.
#pragma once

#include <string>
#include <vector>

#include "pcw/pg/connection.h"
#include "pcw/runs/run_page.h"

namespace pcw::runs {

struct RunPageSql {
  std::string text;
  std::vector<pg::Param> params;
};

/// A statement for the filters that are set, with their values as parameters. Pure.
RunPageSql SelectRunPage(const RunPageRequest& request);

/// The statement that reads the run of one id, its only parameter.
const std::string& SelectRunById();

/// The most that a page may ask for.
inline constexpr int kMostRunsOfPage = 1'000;

}  // namespace pcw::runs
