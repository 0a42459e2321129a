// What to do about a drift finding, as commands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/tables/drift_store.h"

namespace pcw::diagnose {

/// What it means for the rows, in one sentence.
std::string_view MeaningOf(const tables::StoredFinding& finding);

/// The exact next commands, first things first; the last accepts the finding.
std::vector<std::string> NextStepsFor(const tables::StoredFinding& finding);

}  // namespace pcw::diagnose
