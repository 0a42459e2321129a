// What to do about a drift finding, as commands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/sync/drift_store.h"

namespace pcw::diagnose {

/// What it means for the rows, in one sentence.
std::string_view MeaningOf(const sync::StoredFinding& finding);

/// The exact next commands, first things first; the last accepts the finding.
std::vector<std::string> NextStepsFor(const sync::StoredFinding& finding);

}  // namespace pcw::diagnose
