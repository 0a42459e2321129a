#include "pcw/base/digest.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace pcw {
namespace {

TEST(Sha256Test, GivesTheDigestsOfFips180) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

struct HmacCase {
  std::string key;
  std::string data;
  std::string_view digest;
};

// RFC 4231, test cases 1 to 4, 6 and 7 (5 is a truncation, which AWS does not use).
TEST(HmacSha256Test, GivesTheDigestsOfRfc4231) {
  const std::string counting_key =
      "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
      "\x17\x18\x19";
  const std::array<HmacCase, 6> cases{{
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counting_key, std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  }};

  for (const HmacCase& entry : cases) {
    EXPECT_EQ(Hex(HmacSha256(entry.key, entry.data)), entry.digest) << entry.data;
  }
}

TEST(HmacSha256Test, KeyOfExactlyOneBlockIsNotHashed) {
  // Computed with `openssl mac -digest SHA256 -macopt key:<64 times 'k'> HMAC`.
  EXPECT_EQ(Hex(HmacSha256(std::string(64, 'k'), "data")),
            "93244b031118b8060c6619e5900fcf916faefb2d8d020fecb22ae0f62275db08");
}

TEST(Sha256StreamTest, PiecesGiveTheDigestOfTheWhole) {
  Sha256Stream stream;
  stream.Update("ab");
  stream.Update("");
  stream.Update("c");

  EXPECT_EQ(stream.Finish(), Sha256("abc"));
}

TEST(Sha256StreamTest, MovedStreamGoesOn) {
  Sha256Stream first;
  first.Update("ab");
  Sha256Stream second = std::move(first);
  second.Update("c");

  EXPECT_EQ(second.Finish(), Sha256("abc"));
}

TEST(HexTest, KeepsEveryBitOfEveryByte) {
  EXPECT_EQ(Hex(std::string_view("\x00\x0f\xf0\xff", 4)), "000ff0ff");
}

TEST(Base64Test, MatchesTheVectorsOfTheRfc) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64(BytesOf(Sha256(""))), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

}  // namespace
}  // namespace pcw
