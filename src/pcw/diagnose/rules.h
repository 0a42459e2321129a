// From facts to findings. Pure: the same facts give the same findings.
#pragma once

#include <vector>

#include "pcw/diagnose/facts.h"
#include "pcw/diagnose/finding.h"

namespace pcw::diagnose {

std::vector<Finding> JudgeSetup(const Facts& facts);
std::vector<Finding> JudgeConnectivity(const Facts& facts);
std::vector<Finding> JudgeAuth(const Facts& facts);
std::vector<Finding> JudgeRateLimits(const Facts& facts);
std::vector<Finding> JudgeSchema(const Facts& facts);
std::vector<Finding> JudgeBronze(const Facts& facts);
std::vector<Finding> JudgeRuns(const Facts& facts);
std::vector<Finding> JudgeDlq(const Facts& facts);
std::vector<Finding> JudgeEvents(const Facts& facts);

/// All of them: causes before what follows from them. What cannot be judged because something
/// before it is broken is left out, so that nothing false stands beside the cause.
std::vector<Finding> Judge(const Facts& facts);

/// The endpoint of a service cannot be used.
bool IsBlocked(const Facts& facts, std::string_view service);

}  // namespace pcw::diagnose
