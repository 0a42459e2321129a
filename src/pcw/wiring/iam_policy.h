// The IAM policy that a configuration needs, and nothing beyond it.
#pragma once

#include "pcw/base/json.h"
#include "pcw/config/config.h"

namespace pcw::wiring {

/// The least-privilege policy of the identity that pcw calls AWS with, made from the operations
/// that the configured entities, lake and queue use, so that it cannot lag behind the code.
///
/// Partner Central has no resources to name for most operations; the condition key
/// partnercentral:Catalog keeps the identity out of the other catalog (docs/aws-facts.md 15).
/// GetCallerIdentity needs no permission. kConfig for a lake or queue URL that names no bucket or
/// queue.
Result<OrderedJson> MakeIamPolicy(const config::Config& config);

}  // namespace pcw::wiring
