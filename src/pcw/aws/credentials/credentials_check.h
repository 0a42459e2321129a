// What is asked of credentials before they are used.
#pragma once

#include "pcw/aws/credentials.h"

namespace pcw::aws {

/// Same id, secret and session token, wherever they come from.
bool IsSame(const Credentials& left, const Credentials& right);

/// kConfig for credentials that would break a request apart or can never be right: control
/// characters (a line break, NUL) in id, secret or session token. The message names source and
/// part, never the value (I29).
Status CheckFitToSend(const Credentials& credentials);

}  // namespace pcw::aws
