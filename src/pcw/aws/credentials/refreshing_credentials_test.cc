#include "pcw/aws/credentials/refreshing_credentials.h"

#include <array>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_time.h"

namespace pcw::aws {
namespace {

using std::chrono::minutes;

// Answers as the test says, and can be held up.
class FakeSource final : public CredentialsSource {
 public:
  Result<CredentialsPtr> Fetch(std::stop_token stop) override {
    std::unique_lock lock(mutex);
    ++asked;
    changed.notify_all();
    changed.wait(lock, stop, [this] { return !is_held; });
    if (failure) return *failure;
    auto keys = std::make_shared<Credentials>();
    keys->access_key_id = "ASIA" + std::to_string(has_one_key ? 1 : asked) + suffix;
    keys->expires_at = expires_at;
    return CredentialsPtr(std::move(keys));
  }
  void WaitUntilAsked(int times) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return asked >= times; });
  }
  void Release() {
    const std::lock_guard lock(mutex);
    is_held = false;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable_any changed;
  std::optional<WallTime> expires_at;
  std::optional<Error> failure;
  bool is_held = false;
  bool has_one_key = false;
  std::string suffix;
  int asked = 0;
};

class RefreshingCredentialsTest : public ::testing::Test {
 protected:
  std::string Id() {
    const auto got = credentials.Get({});
    return got ? (*got)->access_key_id : got.error().message();
  }

  FakeClock clock;
  std::unique_ptr<FakeSource> owned = std::make_unique<FakeSource>();
  FakeSource& source = *owned;
  RefreshingCredentials credentials{std::move(owned), clock};
};

TEST_F(RefreshingCredentialsTest, AsksOnceWhileTheyLive) {
  source.expires_at = clock.Now() + minutes(60);

  EXPECT_EQ(Id(), "ASIA1");
  clock.Advance(minutes(44));
  EXPECT_EQ(Id(), "ASIA1");
  EXPECT_EQ(source.asked, 1);
}

TEST_F(RefreshingCredentialsTest, ASlowRefreshHoldsNobodyUpWhileTheOldOnesLive) {
  source.expires_at = clock.Now() + minutes(60);
  ASSERT_EQ(Id(), "ASIA1");
  source.is_held = true;
  clock.Advance(minutes(50));

  EXPECT_EQ(Id(), "ASIA1");
  source.WaitUntilAsked(2);
  EXPECT_EQ(Id(), "ASIA1");
  source.expires_at = clock.Now() + minutes(60);
  source.Release();
  clock.Advance(minutes(11));
  EXPECT_EQ(Id(), "ASIA2") << "waited for the refresh that was under way";
}

TEST_F(RefreshingCredentialsTest, AFailingRefreshFailsNoCallBeforeTheEnd) {
  source.expires_at = clock.Now() + minutes(60);
  ASSERT_EQ(Id(), "ASIA1");
  source.failure = Error(ErrorCode::kUnavailable, "sts is away");
  clock.Advance(minutes(50));

  EXPECT_EQ(Id(), "ASIA1");
  source.WaitUntilAsked(2);
  EXPECT_EQ(Id(), "ASIA1");
  clock.Advance(minutes(11));
  EXPECT_EQ(Id(), "sts is away");
}

TEST_F(RefreshingCredentialsTest, OnesThatLookExpiredOnArrivalAreUsedForAWhileUnlessRefused) {
  source.expires_at = clock.Now() - std::chrono::hours(24);

  EXPECT_EQ(Id(), "ASIA1");
  EXPECT_EQ(Id(), "ASIA1") << "our clock may be ahead";
  credentials.Invalidate(*credentials.Get({}));
  EXPECT_EQ(Id(), "ASIA2");
}

TEST_F(RefreshingCredentialsTest, AShortSessionIsNotRefreshedFromItsFirstMinute) {
  source.expires_at = clock.Now() + minutes(15);

  EXPECT_EQ(Id(), "ASIA1");
  clock.Advance(minutes(10));
  EXPECT_EQ(Id(), "ASIA1");
  EXPECT_EQ(source.asked, 1);
}

TEST_F(RefreshingCredentialsTest, RefusedOnesAreAskedForAgainOnce) {
  const CredentialsPtr first = *credentials.Get({});
  credentials.Invalidate(first);
  EXPECT_EQ(Id(), "ASIA2");

  credentials.Invalidate(first);

  EXPECT_EQ(Id(), "ASIA2") << "the refused ones were replaced already";
  EXPECT_EQ(source.asked, 2);
}

TEST_F(RefreshingCredentialsTest, AskingThatBringsTheSameKeysShowsThatNothingIsNew) {
  source.has_one_key = true;
  const CredentialsPtr first = *credentials.Get({});

  credentials.Invalidate(first);

  EXPECT_EQ(*credentials.Get({}), first) << "whoever was refused must not try the same again";
  EXPECT_EQ(source.asked, 2);
}

TEST_F(RefreshingCredentialsTest, OnesThatCannotBeSentDoNotReplaceOnesThatCan) {
  source.expires_at = clock.Now() + minutes(60);
  ASSERT_EQ(Id(), "ASIA1");
  source.suffix = "\n";
  clock.Advance(minutes(50));

  EXPECT_EQ(Id(), "ASIA1");
  source.WaitUntilAsked(2);
  EXPECT_EQ(Id(), "ASIA1");
}

TEST_F(RefreshingCredentialsTest, ManyWaitersCauseOneRefresh) {
  source.is_held = true;
  std::vector<std::jthread> threads;
  std::array<std::string, 8> ids;
  for (std::string& id : ids) threads.emplace_back([this, &id] { id = Id(); });
  source.WaitUntilAsked(1);
  source.Release();
  threads.clear();

  EXPECT_THAT(ids, ::testing::Each("ASIA1"));
}

}  // namespace
}  // namespace pcw::aws
