#include "pcw/sync/page_source.h"

#include <latch>

#include <gtest/gtest.h>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/static_credentials.h"

namespace pcw::sync {
namespace {

// Endless pages of one record, each with a token of its own; tells when so many were asked for.
class EndlessPages final : public net::HttpClient {
 public:
  explicit EndlessPages(int awaited) : served_(awaited) {}
  Result<net::HttpResponse> Send(const net::HttpRequest&, const net::HttpLimits&,
                                 std::stop_token stop) override {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
    const std::string number = std::to_string(++pages_);
    if (!served_.try_wait()) served_.count_down();
    return net::Reply(200, R"({"OpportunitySummaries":[{"Id":"O)" + number +
                               R"(","LastModifiedDate":"2026-11-20T08:15:30Z"}],"NextToken":"t)" +
                               number + "\"}");
  }
  void AwaitThem() { served_.wait(); }

 private:
  std::latch served_;
  int pages_ = 0;  // of the lister's thread
};

TEST(PageSourceTest, AStopWhileAPageWaitsToBeTakenEndsTheListing) {
  EndlessPages http(2);
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
  aws::StaticCredentialsProvider credentials{aws::Credentials{}};
  aws::OpenQuotaGate quota;
  aws::CallerOptions options;
  options.endpoint = "http://127.0.0.1:8000";
  aws::Caller caller(*connector::Opportunities().sources.front().list->service,
                     {http, credentials, quota, clock, sleeper, rng}, options);
  std::stop_source stop;
  PageSource pages(connector::Opportunities().sources.front(), caller, clock,
                   {.catalog = "AWS", .modified_after = std::nullopt}, stop.get_token());
  http.AwaitThem();  // the second page waits: nobody has taken the first

  stop.request_stop();

  // One or two pages were on their way.
  Result<ListedPage> page = pages.Next();
  for (int taken = 1; page && taken < 5; ++taken) page = pages.Next();
  EXPECT_THAT(page, FailsWith(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace pcw::sync
