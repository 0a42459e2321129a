// What a configuration leads to, for `config check` and doctor.
#pragma once

#include <map>
#include <string>

#include "pcw/config/config.h"
#include "pcw/diagnose/config_probes.h"

namespace pcw::wiring {

/// Everything that `serve` with this configuration would need and that can be looked at without the
/// network. `loaded` outlives the subject.
diagnose::ConfigSubject MakeConfigSubject(const config::LoadedConfig& loaded,
                                          const std::map<std::string, std::string>& environment);

/// Looks at all of it. kConfig with every problem, as LoadConfig has it.
Status CheckConfigSubject(const config::LoadedConfig& loaded,
                          const std::map<std::string, std::string>& environment);

}  // namespace pcw::wiring
