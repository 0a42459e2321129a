#include "pcw/connector/pii_mask.h"

#include <gtest/gtest.h>

namespace pcw::connector {
namespace {

PiiMask OpportunityMask() {
  const std::vector<Mapping> mappings{*BuiltinMapping("opportunities")};
  return PiiMask(mappings);
}

TEST(PiiMaskTest, MasksWhatTheMappingClassesInARecordAndInAPage) {
  const PiiMask mask = OpportunityMask();

  EXPECT_EQ(mask.Apply(R"({"Customer":{"Account":{"CompanyName":"Acme","Industry":"Retail"}}})",
                       Masking::kPii),
            R"({"Customer":{"Account":{"CompanyName":"***","Industry":"Retail"}}})");
  EXPECT_EQ(mask.Apply(R"({"OpportunitySummaries":[{"Customer":{"Account":{"CompanyName":"A"}}}]})",
                       Masking::kPii),
            R"({"OpportunitySummaries":[{"Customer":{"Account":{"CompanyName":"***"}}}]})");
}

TEST(PiiMaskTest, CoversEverythingBelowAMember) {
  EXPECT_EQ(
      OpportunityMask().Apply(
          R"({"Customer":{"Contacts":[{"FirstName":"A","Age":7},{"Notes":{"x":["y",null]}}]}})",
          Masking::kPii),
      R"({"Customer":{"Contacts":[{"Age":"***","FirstName":"***"},{"Notes":{"x":["***",null]}}]}})");
}

TEST(PiiMaskTest, MasksAddressesWhereverTheyStand) {
  EXPECT_EQ(OpportunityMask().Apply(R"({"New":"jane@example.com","Note":"a @ b"})", Masking::kPii),
            R"({"New":"***","Note":"a @ b"})");
}

TEST(PiiMaskTest, SecretsAreMaskedEvenWhenPiiIsAskedFor) {
  EXPECT_EQ(OpportunityMask().Apply(
                R"({"RegistrationToken":"t","Customer":{"Account":{"CompanyName":"Acme"}}})",
                Masking::kSecretsOnly),
            R"({"Customer":{"Account":{"CompanyName":"Acme"}},"RegistrationToken":"***"})");
}

TEST(PiiMaskTest, TheCanonicalRequestOfARefusedSignatureIsMaskedAlways) {
  EXPECT_EQ(OpportunityMask().Apply(
                R"({"message":"no. The Canonical String ... x-amz-security-token:t0ken"})",
                Masking::kSecretsOnly),
            R"({"message":"***"})");
}

TEST(PiiMaskTest, WhatIsNoJsonIsNotShown) {
  EXPECT_EQ(OpportunityMask().Apply("<xml>secret</xml>", Masking::kSecretsOnly),
            "(17 bytes that are not JSON)");
}

}  // namespace
}  // namespace pcw::connector
