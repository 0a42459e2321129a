// SQS on the wire: awsJson 1.0, and the query protocol with XML answers that older clients speak.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/sqs/queues.h"

namespace pcw::sim {

/// One request, the same whichever protocol it came by.
struct SqsRequest {
  Dialect dialect = Dialect::kJson;
  Operation operation = Operation::kOther;
  Json body = Json::object();
  bool is_readable = true;         ///< the body is what the protocol asks for
  bool wants_query_error = false;  ///< x-amzn-query-mode
};

/// True if SQS must answer: the target names it, or the form's API version does.
bool IsSqs(const net::server::Request& request);
SqsRequest ReadSqsRequest(const net::server::Request& request);

/// The answer in the protocol of the request.
Answer RenderSqs(const SqsRequest& request, const SqsResult& result, int status = 400);

/// The permissions of all operations, for the account's state.
std::vector<std::string> SqsActions();
/// "sqs:SendMessage": a batch needs the permission of its single form.
std::string SqsActionOf(Operation operation);

}  // namespace pcw::sim
