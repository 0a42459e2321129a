// What every lake promises, whatever it stands on.
#include "pcw/lake/bronze_store.h"

#include <filesystem>
#include <functional>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "fakes/s3_bucket.h"
#include "pcw/lake/s3_store.h"

namespace pcw::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A lake and what it stands on.
struct LakeKind {
  const char* name;
  std::function<std::shared_ptr<BronzeStore>()> make;
};

std::shared_ptr<BronzeStore> InADirectory() {
  struct Held {
    std::filesystem::path root;
    DirectoryBronzeStore store{root};
    ~Held() { std::filesystem::remove_all(root); }
  };
  char name[] = "/tmp/pcw-store-XXXXXX";
  auto held = std::shared_ptr<Held>(new Held{::mkdtemp(name)});
  return {held, &held->store};
}

std::shared_ptr<BronzeStore> InABucket(const std::string& prefix, std::size_t part_bytes) {
  struct Held {
    FakeBucket fake;
    std::unique_ptr<S3BronzeStore> store;
  };
  auto held = std::make_shared<Held>();
  held->fake.s3.page_size = 2;
  held->store = std::make_unique<S3BronzeStore>(
      held->fake.bucket, S3StoreOptions{.prefix = prefix, .part_bytes = part_bytes});
  return {held, held->store.get()};
}

class BronzeStoreTest : public ::testing::TestWithParam<LakeKind> {
 protected:
  std::vector<std::string> Keys(const std::string& prefix) {
    std::vector<std::string> keys;
    const auto listed = store->List(prefix, {});
    EXPECT_THAT(listed, Succeeds());
    for (const ObjectInfo& object : *listed) keys.push_back(object.key);
    return keys;
  }

  const std::shared_ptr<BronzeStore> store = GetParam().make();
};

TEST_P(BronzeStoreTest, GivesBackTheBytesItWasGiven) {
  const std::string bytes("{\"a\":1}\n\0\xff\r\n", 12);

  ASSERT_THAT(store->Put("bronze/x/run-1/data.json", bytes, {}), Succeeds());

  EXPECT_EQ(*store->Get("bronze/x/run-1/data.json", {}), bytes);
}

TEST_P(BronzeStoreTest, AnEmptyObjectIsAnObject) {
  ASSERT_THAT(store->Put("bronze/empty", "", {}), Succeeds());

  EXPECT_EQ(*store->Get("bronze/empty", {}), "");
  EXPECT_THAT(Keys("bronze/"), ElementsAre("bronze/empty"));
}

TEST_P(BronzeStoreTest, TheSameBytesAgainAreSuccessAndOtherBytesAConflict) {
  ASSERT_THAT(store->Put("bronze/k", "12345678", {}), Succeeds());

  EXPECT_THAT(store->Put("bronze/k", "12345678", {}), Succeeds());
  for (const char* other : {"12345679", "1234", "123456789", ""}) {
    const Status refused = store->Put("bronze/k", other, {});
    ASSERT_THAT(refused, FailsWith(ErrorCode::kConflict)) << other;
    EXPECT_TRUE(refused.error().Find("key").value_or("").ends_with("bronze/k"));
  }
  EXPECT_EQ(*store->Get("bronze/k", {}), "12345678");
}

TEST_P(BronzeStoreTest, WhatIsNotThereIsNotFound) {
  EXPECT_THAT(store->Get("bronze/absent", {}), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Keys("bronze/absent"), IsEmpty());
}

TEST_P(BronzeStoreTest, ListsEverythingBelowAPrefixInTheOrderOfKeys) {
  for (const char* key : {"bronze/b/2", "bronze/b/10", "bronze/a", "bronze/b-x", "other/c"})
    ASSERT_THAT(store->Put(key, "abc", {}), Succeeds());

  EXPECT_THAT(Keys("bronze/"), ElementsAre("bronze/a", "bronze/b-x", "bronze/b/10", "bronze/b/2"));
  EXPECT_THAT(Keys("bronze/b/1"), ElementsAre("bronze/b/10"));
  EXPECT_EQ(Keys("").size(), 5U);
  const auto listed = store->List("bronze/a", {});
  EXPECT_EQ((*listed)[0].bytes, 3U);
  EXPECT_TRUE((*listed)[0].modified_at.starts_with("20")) << (*listed)[0].modified_at;
}

TEST_P(BronzeStoreTest, KeysOfManyScriptsSurvive) {
  for (const char* key : {"bronze/a b+c", "bronze/\xc3\xbc \xe6\xa0\xaa", "bronze/..x/...",
                          "bronze/%41", "bronze/q?x=1&y#z", "bronze/<&\"'>"}) {
    ASSERT_THAT(store->Put(key, key, {}), Succeeds()) << key;
    EXPECT_EQ(*store->Get(key, {}), key);
    EXPECT_THAT(Keys(key), ElementsAre(key));
  }
}

TEST_P(BronzeStoreTest, KeysThatLeadOutOfTheLakeAreRefused) {
  for (const std::string& key :
       {std::string(), std::string("/a"), std::string("a/../b"), std::string(".."),
        std::string("a//b"), std::string("a/./b"), std::string("a/"), std::string("a\0b", 3),
        std::string(1025, 'k')}) {
    EXPECT_THAT(store->Put(key, "x", {}), FailsWith(ErrorCode::kInvalidRequest)) << key;
    EXPECT_THAT(store->Get(key, {}), FailsWith(ErrorCode::kInvalidRequest)) << key;
  }
  EXPECT_THAT(store->List("a/../", {}), FailsWith(ErrorCode::kInvalidRequest));
}

TEST_P(BronzeStoreTest, ALakeThatIsThereIsReady) { EXPECT_THAT(store->Probe({}), Succeeds()); }

INSTANTIATE_TEST_SUITE_P(
    EveryLake, BronzeStoreTest,
    ::testing::Values(LakeKind{"Directory", InADirectory},
                      LakeKind{"Bucket", [] { return InABucket("", 1U << 20U); }},
                      LakeKind{"BucketWithPrefix", [] { return InABucket("a/b/", 1U << 20U); }},
                      LakeKind{"BucketInParts", [] { return InABucket("p/", 3); }}),
    [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace pcw::lake
