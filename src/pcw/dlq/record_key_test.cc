#include "pcw/dlq/record_key.h"

#include <gtest/gtest.h>

namespace pcw::dlq {
namespace {

const std::string kNul("O1\0x", 4);

TEST(RecordKeyTest, AnOrdinaryIdIsItsOwnKey) { EXPECT_EQ(RecordKeyOf("O1234567"), "O1234567"); }

TEST(RecordKeyTest, TextInAnyLanguageIsItsOwnKey) {
  EXPECT_EQ(RecordKeyOf("\u00dcbung-\u6f22"), "\u00dcbung-\u6f22");
}

TEST(RecordKeyTest, TheLongestKeyThatAnIndexTakesIsItsOwn) {
  EXPECT_EQ(RecordKeyOf(std::string(2'000, 'x')), std::string(2'000, 'x'));
  EXPECT_LT(RecordKeyOf(std::string(2'001, 'x')).size(), 300U);
}

TEST(RecordKeyTest, TwoLongIdsKeepTwoKeys) {
  EXPECT_NE(RecordKeyOf(std::string(3'000, 'x') + "a"), RecordKeyOf(std::string(3'000, 'x') + "b"));
}

TEST(RecordKeyTest, ANulIsNotInTheKey) {
  EXPECT_EQ(RecordKeyOf(kNul).find('\0'), std::string::npos);
  EXPECT_NE(RecordKeyOf(kNul), RecordKeyOf("O1x"));
}

TEST(RecordKeyTest, BytesThatAreNotUtf8GiveAKeyThatIs) {
  const std::string key = RecordKeyOf("O1\xff");
  EXPECT_EQ(key.find('\xff'), std::string::npos);
  EXPECT_NE(key.find('#'), std::string::npos);
}

TEST(RecordKeyTest, TwoIdsOfBrokenBytesKeepTwoKeys) {
  EXPECT_NE(RecordKeyOf("O1\xff"), RecordKeyOf("O1\xfe"));
}

TEST(RecordKeyTest, TheDigestHasSixteenDigits) {
  const std::string key = RecordKeyOf(kNul);
  EXPECT_EQ(key.size() - key.find('#') - 1, 16U);
}

TEST(RecordKeyTest, DoingItTwiceIsDoingItOnce) {
  for (const std::string& id : {std::string("O1"), kNul, std::string(5'000, 'x')})
    EXPECT_EQ(RecordKeyOf(RecordKeyOf(id)), RecordKeyOf(id));
}

}  // namespace
}  // namespace pcw::dlq
