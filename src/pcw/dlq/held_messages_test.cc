#include "pcw/dlq/held_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/credentials/static_credentials.h"
#include "pcw/base/json.h"

namespace pcw::dlq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// A queue that accepts every change of visibility but those of one handle, and remembers them.
class VisibilityQueue final : public net::HttpClient {
 public:
  Result<net::HttpResponse> Send(const net::HttpRequest& request, const net::HttpLimits&,
                                 std::stop_token) override {
    OrderedJson answer{{"Successful", OrderedJson::array()}, {"Failed", OrderedJson::array()}};
    const Json body = ParseJson(request.payload()).value();
    for (const Json& entry : body["Entries"]) {
      const std::string handle = entry["ReceiptHandle"].get<std::string>();
      changes.emplace_back(handle, entry["VisibilityTimeout"].get<int>());
      if (handle == lost) {
        answer["Failed"].push_back(
            {{"Id", entry["Id"]}, {"Code", "MessageNotInflight"}, {"SenderFault", true}});
      } else {
        answer["Successful"].push_back({{"Id", entry["Id"]}});
      }
    }
    return net::Reply(200, DumpJson(answer));
  }

  std::vector<std::pair<std::string, int>> changes;
  std::string lost;
};

class HeldMessagesTest : public ::testing::Test {
 protected:
  static aws::CallerOptions Options() {
    aws::CallerOptions options;
    options.endpoint = "http://127.0.0.1:8000";
    return options;
  }

  VisibilityQueue http_;
  FakeClock clock_;
  FakeSleeper sleeper_{clock_};
  FakeRng rng_;
  aws::StaticCredentialsProvider credentials_{aws::Credentials{}};
  aws::OpenQuotaGate gate_;
  aws::Caller caller_{
      aws::sqs::kService, {http_, credentials_, gate_, clock_, sleeper_, rng_}, Options()};
  aws::sqs::Queue queue_{caller_, "http://127.0.0.1:8000/123456789012/q"};
  HeldMessages held_{queue_, std::chrono::seconds(120), clock_};
};

TEST_F(HeldMessagesTest, ExtendsAMessageWhenHalfOfItsTimeIsOver) {
  held_.Add("a", clock_.Steady());
  clock_.Advance(std::chrono::seconds(30));
  held_.Add("b", clock_.Steady());
  clock_.Advance(std::chrono::seconds(29));

  EXPECT_THAT(held_.Extend({}), Succeeds());
  EXPECT_THAT(http_.changes, IsEmpty());
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_THAT(held_.Extend({}), Succeeds());

  EXPECT_THAT(http_.changes, ElementsAre(Pair("a", 120)));
  EXPECT_EQ(held_.extended(), 1);
}

TEST_F(HeldMessagesTest, ExtendsAgainAndAgain) {
  held_.Add("a", clock_.Steady());
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(std::chrono::seconds(60));
    EXPECT_THAT(held_.Extend({}), Succeeds());
  }

  EXPECT_EQ(held_.extended(), 3);
}

TEST_F(HeldMessagesTest, LetsGoOfWhatSqsDoesNotKnowAsOurs) {
  http_.lost = "a";
  held_.Add("a", clock_.Steady());
  held_.Add("b", clock_.Steady());
  clock_.Advance(std::chrono::seconds(60));
  EXPECT_THAT(held_.Extend({}), Succeeds());
  http_.changes.clear();

  EXPECT_THAT(held_.Release(), Succeeds());

  EXPECT_THAT(http_.changes, ElementsAre(Pair("b", 0)));
}

TEST_F(HeldMessagesTest, ReleasesEverythingTenAtATime) {
  for (int i = 0; i < 25; ++i) held_.Add(std::to_string(i), clock_.Steady());

  EXPECT_THAT(held_.Release(), Succeeds());
  EXPECT_EQ(http_.changes.size(), 25U);
  EXPECT_EQ(http_.changes.back(), std::pair(std::string("24"), 0));
}

}  // namespace
}  // namespace pcw::dlq
