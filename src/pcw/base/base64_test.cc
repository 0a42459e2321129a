#include "pcw/base/base64.h"

#include <gtest/gtest.h>

#include "pcw/base/digest.h"

namespace pcw {
namespace {

TEST(DecodeBase64Test, GivesBackEveryByteThatBase64Wrote) {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(DecodeBase64(Base64(bytes)), bytes) << i;
    bytes += static_cast<char>(i * 7);
  }
}

TEST(DecodeBase64Test, RefusesEverySpellingButOne) {
  for (const char* text :
       {"A", "AA", "AAA", "AA=A", "====", "A===", "AB==", "AAB=", "AA\n=", "A-==", "AAAA AAAA"})
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  EXPECT_EQ(DecodeBase64(""), "");
}

}  // namespace
}  // namespace pcw
