#include "pcw/sim/partner_central/collection.h"

#include <set>

#include <gmock/gmock.h>

namespace pcw::sim {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const WallTime kEpoch = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
const WallTime kNow = kEpoch + 24h;

class CollectionTest : public ::testing::Test {
 protected:
  /// Every id, page by page, by key; `between` runs before each page but the first.
  std::vector<std::string> PageThrough(
      const ListQuery& query, const std::function<void()>& between = [] {}) {
    std::vector<std::string> ids;
    ListPosition from;
    for (;;) {
      const ListPage page = collection.List(query, from);
      for (const RecordVersion& record : page.records) ids.push_back(collection.IdOf(record.index));
      if (!page.has_more) return ids;
      from.after = page.last;
      between();
    }
  }

  std::vector<std::string> PageByOffset(const ListQuery& query,
                                        const std::function<void()>& between) {
    std::vector<std::string> ids;
    for (;;) {
      const ListPage page = collection.List(query, {std::nullopt, ids.size()});
      for (const RecordVersion& record : page.records) ids.push_back(collection.IdOf(record.index));
      if (!page.has_more) return ids;
      between();
    }
  }

  Collection collection{{.count = 200, .epoch = kEpoch}, Catalog::kAws};
};

struct Order {
  SortBy by;
  SortOrder order;
};

class CollectionOrderTest : public CollectionTest, public ::testing::WithParamInterface<Order> {};

TEST_P(CollectionOrderTest, PagingFindsEveryRecordOnce) {
  const ListQuery query{.sort_by = GetParam().by, .order = GetParam().order, .max_results = 37};

  const auto ids = PageThrough(query);

  EXPECT_THAT(ids, SizeIs(200));
  EXPECT_THAT(std::set<std::string>(ids.begin(), ids.end()), SizeIs(200));
}

TEST_P(CollectionOrderTest, PagingFindsEveryRecordOnceAfterChanges) {
  collection.ModifySome(40, kNow);
  collection.Insert(10, kNow + 1s);
  collection.RemoveSome(15, kNow + 2s);
  const ListQuery query{.sort_by = GetParam().by, .order = GetParam().order, .max_results = 37};
  std::set<std::string> live;
  collection.ForEach([&](const RecordVersion& r) { live.insert(collection.IdOf(r.index)); });

  const auto by_key = PageThrough(query);
  const auto by_offset = PageByOffset(query, [] {});

  EXPECT_THAT(live, SizeIs(195));
  EXPECT_THAT(by_key, SizeIs(195));
  EXPECT_EQ(std::set<std::string>(by_key.begin(), by_key.end()), live);
  EXPECT_EQ(by_offset, by_key);
}

INSTANTIATE_TEST_SUITE_P(
    All, CollectionOrderTest,
    ::testing::Values(Order{SortBy::kLastModifiedDate, SortOrder::kAscending},
                      Order{SortBy::kLastModifiedDate, SortOrder::kDescending},
                      Order{SortBy::kIdentifier, SortOrder::kAscending},
                      Order{SortBy::kIdentifier, SortOrder::kDescending},
                      Order{SortBy::kCreatedDate, SortOrder::kAscending},
                      Order{SortBy::kCreatedDate, SortOrder::kDescending},
                      Order{SortBy::kCustomerCompanyName, SortOrder::kAscending},
                      Order{SortBy::kCustomerCompanyName, SortOrder::kDescending},
                      Order{SortBy::kTargetCloseDate, SortOrder::kAscending},
                      Order{SortBy::kTargetCloseDate, SortOrder::kDescending}));

TEST_F(CollectionTest, AscendingModificationNeverDecreases) {
  collection.ModifySome(20, kNow);
  const ListPage page = collection.List(
      {.sort_by = SortBy::kLastModifiedDate, .order = SortOrder::kAscending, .max_results = 200},
      {});

  for (std::size_t i = 1; i < page.records.size(); ++i) {
    EXPECT_LE(page.records[i - 1].modified, page.records[i].modified);
  }
}

TEST_F(CollectionTest, TheLowerBoundOfModificationIsInclusive) {
  const ListPage all = collection.List({.order = SortOrder::kAscending, .max_results = 200}, {});
  const WallTime from = all.records[100].modified;

  const auto ids = PageThrough({.order = SortOrder::kAscending, .modified_from = from});

  EXPECT_THAT(ids, SizeIs(100));
  EXPECT_EQ(ids.front(), collection.IdOf(all.records[100].index));
}

TEST_F(CollectionTest, TheUpperBoundOfModificationIsExclusive) {
  const ListPage all = collection.List({.order = SortOrder::kAscending, .max_results = 200}, {});

  EXPECT_THAT(PageThrough({.modified_before = all.records[100].modified}), SizeIs(100));
}

TEST_F(CollectionTest, TheModificationFilterWorksUnderEverySort) {
  collection.ModifySome(7, kNow);

  EXPECT_THAT(PageThrough({.sort_by = SortBy::kIdentifier, .modified_from = kNow}), SizeIs(7));
  EXPECT_THAT(PageThrough({.sort_by = SortBy::kCustomerCompanyName, .modified_from = kNow}),
              SizeIs(7));
  EXPECT_THAT(PageThrough({.modified_from = kNow}), SizeIs(7));
}

TEST_F(CollectionTest, NothingIsNewRightAfterTheStart) {
  EXPECT_THAT(PageThrough({.modified_from = kEpoch}), IsEmpty());
}

TEST_F(CollectionTest, IdentifierFilterReturnsExactlyTheKnownOnes) {
  const std::string third = collection.IdOf(3);
  const std::string last = collection.IdOf(199);

  EXPECT_THAT(PageThrough({.identifiers = {third, last, "O1"}}), UnorderedElementsAre(third, last));
}

TEST_F(CollectionTest, StageFilterReturnsOnlyThatStage) {
  const ListPage page = collection.List({.stages = {"Launched"}, .max_results = 200}, {});

  EXPECT_FALSE(page.records.empty());
  for (const RecordVersion& record : page.records) {
    EXPECT_EQ(collection.writer().Stage(record), "Launched");
  }
}

TEST_F(CollectionTest, CompanyFilterFindsTheCompany) {
  const std::string company = collection.writer().CompanyName(5);

  EXPECT_THAT(PageThrough({.company_names = {company}}), ::testing::Contains(collection.IdOf(5)));
}

TEST_F(CollectionTest, CloseDateFilterHoldsUnderItsOwnAndOtherSorts) {
  const std::string day = "2026-06-01";
  const auto own = PageThrough({.sort_by = SortBy::kTargetCloseDate, .close_from = day});
  const auto other = PageThrough({.sort_by = SortBy::kIdentifier, .close_from = day});

  EXPECT_FALSE(own.empty());
  EXPECT_EQ(std::set(own.begin(), own.end()), std::set(other.begin(), other.end()));
}

TEST_F(CollectionTest, AModifiedRecordHasANewRevisionAndDate) {
  const std::string id = collection.IdOf(9);

  collection.Modify({id, "O1"}, kNow);

  const auto record = collection.Get(id);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->revision, 1U);
  EXPECT_EQ(record->modified, kNow);
}

TEST_F(CollectionTest, TwoVersionsOfARecordNeverShareADate) {
  const std::string id = collection.IdOf(9);

  collection.Modify({id}, kNow);
  collection.Modify({id}, kNow);

  EXPECT_GT(collection.Get(id)->modified, kNow);
}

TEST_F(CollectionTest, ARemovedRecordIsGone) {
  const std::string id = collection.IdOf(9);

  EXPECT_THAT(collection.Remove({id}, kNow), ElementsAre(id));

  EXPECT_EQ(collection.Get(id), std::nullopt);
  EXPECT_THAT(collection.Remove({id}, kNow), IsEmpty());
}

TEST_F(CollectionTest, AnEarlierViewShowsChangesNotYet) {
  const std::string id = collection.IdOf(9);
  const WallTime seeded = collection.Get(id)->modified;
  collection.Modify({id}, kNow);
  collection.Insert(1, kNow);

  const ListPage before = collection.List({.identifiers = {id}}, {}, kNow - 1s);
  const ListPage all = collection.List({.max_results = 1'000}, {}, kNow - 1s);

  ASSERT_THAT(before.records, SizeIs(1));
  EXPECT_EQ(before.records[0].modified, seeded);
  EXPECT_THAT(all.records, SizeIs(200));
}

// T1: the two token styles fail differently, and clients must survive both.
TEST_F(CollectionTest, OffsetPagingLosesRecordsThatMoveAndKeysDoNot) {
  WallTime now = kNow;
  const auto touch_first = [&] {
    now += 1s;
    const ListPage oldest = collection.List({.order = SortOrder::kAscending, .max_results = 1}, {});
    collection.Modify({collection.IdOf(oldest.records[0].index)}, now);
  };
  const ListQuery query{.order = SortOrder::kAscending, .max_results = 20};

  const auto by_offset = PageByOffset(query, touch_first);
  const auto by_key = PageThrough(query, touch_first);

  EXPECT_LT(std::set(by_offset.begin(), by_offset.end()).size(), 200U);
  EXPECT_EQ(std::set(by_key.begin(), by_key.end()).size(), 200U);
}

TEST_F(CollectionTest, AnEmptyCatalogListsNothing) {
  const Collection empty({.count = 0, .epoch = kEpoch}, Catalog::kAws);

  EXPECT_THAT(empty.List({}, {}).records, IsEmpty());
}

}  // namespace
}  // namespace pcw::sim
