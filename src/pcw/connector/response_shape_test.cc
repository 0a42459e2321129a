#include "pcw/connector/response_shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/connector/mapping.h"

namespace pcw::connector {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(ResponseShapeTest, EveryEntityHasTheShapesOfItsRecords) {
  for (const EntityDef* entity : AllEntities()) {
    const auto shapes = ShapesOf(*entity);
    ASSERT_THAT(shapes, Succeeds()) << entity->name;
    for (const ResponseShape& shape : *shapes) {
      EXPECT_EQ(shape.nodes().front().type, ShapeNode::Type::kStructure) << shape.operation();
      EXPECT_FALSE(shape.api_version().empty()) << shape.operation();
    }
  }
}

TEST(ResponseShapeTest, KnowsWhatBuiltinMappingsPointAt) {
  for (const EntityDef* entity : AllEntities()) {
    const auto shapes = ShapesOf(*entity);
    const auto mapping = BuiltinMapping(entity->name);
    ASSERT_THAT(mapping, Succeeds());
    for (const ColumnMapping& column : mapping->columns) {
      for (const std::string& pointer : column.pointers) {
        bool is_known = false;
        for (const ResponseShape& shape : *shapes)
          is_known = is_known || !shape.WhyUnknown(pointer).has_value();
        EXPECT_TRUE(is_known) << entity->name << " " << pointer;
      }
    }
  }
}

TEST(ResponseShapeTest, NamesTheNearestOfAnUnknownMember) {
  const auto shape = ResponseShape::Of("GetOpportunity");
  ASSERT_THAT(shape, Succeeds());

  EXPECT_EQ(shape->WhyUnknown("/Project/ExpectedCustomerSpend/0/Amount"), std::nullopt);
  EXPECT_EQ(shape->WhyUnknown("/Project/ExpectedCustomerSpend/[CurrencyCode=USD]/Amount"),
            std::nullopt);
  EXPECT_THAT(*shape->WhyUnknown("/LifeCycle/Stag"), HasSubstr("did you mean Stage?"));
}

TEST(ResponseShapeTest, ListItemsAreElementsOfThePage) {
  const auto shape = ResponseShape::Of("ListSolutions", "/SolutionSummaries");
  ASSERT_THAT(shape, Succeeds());

  EXPECT_EQ(shape->WhyUnknown("/Name"), std::nullopt);
  EXPECT_NE(shape->WhyUnknown("/SolutionSummaries"), std::nullopt);
}

TEST(ResponseShapeTest, ApiVersionsAreThoseOfTheServices) {
  EXPECT_THAT(ShippedApiVersions(), Contains("partnercentral-selling 2022-07-26"));
}

TEST(ResponseShapeTest, SegmentsOfPointers) {
  EXPECT_EQ(PointerSegments("/a/0/[Type=Lead]/b~1c"),
            (std::vector<std::string>{"a", "*", "*", "b/c"}));
  EXPECT_TRUE(PointerSegments("@id").empty());
}

}  // namespace
}  // namespace pcw::connector
