#include "pcw/aws/sts.h"

#include "pcw/aws/xml_text.h"

namespace pcw::aws::sts {

Result<CallerIdentity> GetCallerIdentity(Caller& caller, std::stop_token stop) {
  PCW_TRY(const CallResult answer,
          caller.Call(kGetCallerIdentity, "Action=GetCallerIdentity&Version=2011-06-15", stop));
  CallerIdentity identity{XmlText(answer.body, "Account").value_or(""),
                          XmlText(answer.body, "Arn").value_or(""),
                          XmlText(answer.body, "UserId").value_or("")};
  if (identity.account.empty())
    return Error(ErrorCode::kUnavailable, "STS did not say which account this is")
        .With("request_id", answer.request_id);
  return identity;
}

}  // namespace pcw::aws::sts
