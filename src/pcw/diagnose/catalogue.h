// Every finding that exists: the one table that checks, documentation and tests follow.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pcw/diagnose/finding.h"

namespace pcw::diagnose {

std::span<const FindingDef> Catalogue();

/// Aborts for a code that is not in the catalogue: a bug.
const FindingDef& DefOf(std::string_view code);

/// The catalogue as a page of Markdown, for docs/errors.md.
std::string FormatCatalogue();

}  // namespace pcw::diagnose
