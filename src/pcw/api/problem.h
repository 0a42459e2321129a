// Errors as the REST interface tells them: problem+json with a code, a request id and nothing of
// the inside.
#pragma once

#include <string>
#include <string_view>

#include "pcw/base/error.h"
#include "pcw/net/server/message.h"

namespace pcw::api {

/// An error of a request, ready to be answered: its status, its code in docs/rest-api.md, a
/// sentence, and the field or parameter at fault. Travels as an Error so that PCW_TRY works on it.
Error ApiError(int status, std::string_view code, std::string message, std::string_view field = "");

/// The answer to an error. What ApiError made is told as it is; of everything else only the kind
/// is: no SQL, path or text of another system leaves the process (I27). 503 carries Retry-After,
/// 401 WWW-Authenticate.
net::server::Response ProblemResponse(const Error& error, std::string_view request_id);

/// The same from a status alone, for what the listener refuses before there is a request.
net::server::Response RefusalResponse(int status, std::string_view why,
                                      std::string_view request_id);

/// The code of a status when nothing more is known: 405 is "method_not_allowed".
std::string_view CodeOfStatus(int status);

}  // namespace pcw::api
