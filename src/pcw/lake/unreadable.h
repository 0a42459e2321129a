// Objects of the lake that cannot be read while their neighbours can.
#pragma once

#include <string>

#include "pcw/base/error.h"

namespace pcw::lake {

/// Whether the failure to read one object is that object's own (archived, encrypted with a key that
/// this role may not use, deleted since it was listed, on a damaged part of the disk), so that a
/// pass over many goes on. Not so where the lake itself is out of reach: the next object would fail
/// the same way.
bool IsOfTheObject(const Error& error);

/// Why an object could not be read, in one sentence behind its key. `is_listed`: it was in a list
/// of the lake, not only in a manifest.
std::string WhyUnreadable(const Error& error, bool is_listed);

}  // namespace pcw::lake
