#include "pcw/sync/page_source.h"

#include <algorithm>
#include <latch>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/credentials/static_credentials.h"

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

// Answers the pages it is given, then the last of them again and again, each with a new token.
class GivenPages final : public net::HttpClient {
 public:
  explicit GivenPages(std::vector<std::string> items) : items_(std::move(items)) {}
  Result<net::HttpResponse> Send(const net::HttpRequest&, const net::HttpLimits&,
                                 std::stop_token stop) override {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
    const std::size_t page = static_cast<std::size_t>(pages_++);
    return net::Reply(200, R"({"OpportunitySummaries":[)" +
                               items_[std::min(page, items_.size() - 1)] + R"(],"NextToken":"t)" +
                               std::to_string(pages_) + "\"}");
  }
  int pages() const { return pages_; }

 private:
  const std::vector<std::string> items_;
  int pages_ = 0;
};

TEST(PageSourceTest, AHundredEmptyPagesInARowEndTheListing) {
  constexpr auto kRecord = R"({"Id":"O1","LastModifiedDate":"2026-11-20T08:15:30Z"})";
  GivenPages http({"", "", kRecord, ""});
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
  aws::StaticCredentialsProvider credentials{aws::Credentials{}};
  aws::OpenQuotaGate quota;
  aws::CallerOptions options;
  options.endpoint = "http://127.0.0.1:8000";
  aws::Caller caller(*connector::Opportunities().sources.front().list->service,
                     {http, credentials, quota, clock, sleeper, rng}, options);
  PageSource pages(connector::Opportunities().sources.front(), caller, clock,
                   {.catalog = "AWS", .modified_after = std::nullopt}, {});

  std::size_t listed = 0;
  Result<ListedPage> page = pages.Next();
  for (; page && !page->is_last; page = pages.Next()) listed += page->items.size();

  EXPECT_THAT(page, FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(listed, 1U);
  EXPECT_EQ(http.pages(), 103);  // two, the record, a hundred
}

}  // namespace
}  // namespace pcw::sync
