#include "pcw/base/weak_digest.h"

#include <gtest/gtest.h>

#include "pcw/base/digest.h"

namespace pcw {
namespace {

// RFC 1321, appendix A.5.
TEST(WeakDigestTest, Md5GivesTheDigestsOfRfc1321) {
  EXPECT_EQ(Hex(Md5("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Hex(Md5("message digest")), "f96b697d7cb7938d525a2f31aaf161d0");
}

// FIPS 180, examples.
TEST(WeakDigestTest, Sha1GivesTheDigestsOfFips180) {
  EXPECT_EQ(Hex(Sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(Hex(Sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

}  // namespace
}  // namespace pcw
