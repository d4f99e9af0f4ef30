package io.sirocco.spark.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

/** Names and types of the classified rows' columns. */
class ResultTypeTest {
  private static final RowColumns TEXT = RowColumns.of(new ModelInput.Text("text"));
  private static final StructType NONE = DataTypes.createStructType(List.of());

  @Test
  void aResultNameThatTheInputHasIsRefused() {
    StructType rows = NONE.add("text", "string").add("Status", "string");
    RowSettings plain = TicketModel.float32();
    RowSettings prefixed = TicketModel.settings(plain.engine(), "sirocco_");

    assertThatThrownBy(() -> DataFrameTask.resultType(rows, TEXT, plain))
        .isInstanceOf(ColumnConflictException.class)
        .hasMessageContaining("Status")
        .hasMessageContaining("output.prefix");
    assertThat(DataFrameTask.resultType(rows, TEXT, prefixed).fieldNames())
        .contains("Status", "sirocco_status");
  }

  @Test
  void aHiddenColumnConflictsWithNothing() {
    StructType rows = NONE.add("id", "string").add("status", "string");

    assertThat(
            DataFrameTask.resultType(
                    rows,
                    RowColumns.of(new ModelInput.Text("status")).hiding("status"),
                    TicketModel.float32())
                .fieldNames())
        .startsWith("id", "predicted_label")
        .containsOnlyOnce("status");
  }

  @Test
  void theTypesOfTheResultAreThoseOfTheInterface() {
    assertThat(
            DataFrameTask.resultType(NONE.add("text", "string"), TEXT, TicketModel.float32())
                .simpleString())
        .isEqualTo(
            "struct<text:string,predicted_label:string,predicted_score:double,"
                + "probabilities:map<string,double>,token_count:int,truncated:boolean,"
                + "status:string,error:struct<code:string,message:string>,logits:array<float>>");
  }
}
