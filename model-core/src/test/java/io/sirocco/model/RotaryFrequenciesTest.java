package io.sirocco.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rotary tables against the reference's, of golden/rope.json. */
class RotaryFrequenciesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path GOLDEN = Path.of("src/test/resources/golden/rope.json");

  /** One entry of rope.json. */
  record Entry(String name, JsonNode golden) {
    MistralConfig config() {
      ObjectNode config = JSON.createObjectNode();
      config.put("model_type", "mistral");
      config.set("head_dim", golden.path("head_dim"));
      config.set("max_position_embeddings", golden.path("max_position_embeddings"));
      config.set("rope_parameters", golden.path("rope_parameters"));
      return MistralConfig.parse(config, name);
    }

    int rowLength() {
      JsonNode positions = golden.path("positions");
      return positions.get(positions.size() - 1).asInt() + 1;
    }

    float[] listed() {
      return floats(golden.path("inv_freq"));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static List<Entry> entries() throws IOException {
    List<Entry> entries = new ArrayList<>();
    JSON.readTree(GOLDEN.toFile())
        .path("cases")
        .forEach(golden -> entries.add(new Entry(golden.path("name").asText(), golden)));
    return entries;
  }

  @Test
  void allFormsAreCovered() throws IOException {
    assertThat(entries()).hasSize(22);
    int frequencies = 0;
    int differing = 0;
    for (Entry entry : entries()) {
      float[] got = RotaryFrequencies.of(entry.config()).inverseFrequencies(entry.rowLength());
      float[] want = entry.listed();
      for (int i = 0; i < want.length; i++) {
        frequencies++;
        differing += got[i] == want[i] ? 0 : 1;
      }
    }
    System.out.printf(
        "RotaryFrequenciesTest: %d of %d frequencies differ from the reference's in their last bits%n",
        differing, frequencies);
  }

  @ParameterizedTest
  @MethodSource("entries")
  void frequenciesAreTheReferences(Entry entry) {
    float[] got = RotaryFrequencies.of(entry.config()).inverseFrequencies(entry.rowLength());
    float[] want = entry.listed();
    assertThat(got).hasSameSizeAs(want);
    for (int i = 0; i < want.length; i++) {
      assertThat(got[i]).as("frequency %d", i).isCloseTo(want[i], Offset.offset(1e-6f * want[i]));
    }
  }

  @ParameterizedTest
  @MethodSource("entries")
  void attentionFactorIsTheReferences(Entry entry) {
    double want = entry.golden().path("attention_factor").asDouble();
    double got = RotaryFrequencies.of(entry.config()).attentionFactor();
    assertThat(got).isCloseTo(want, Offset.offset(1e-6 * want));
  }

  @ParameterizedTest
  @MethodSource("entries")
  void cosAndSinAreTheReferencesAtEveryPosition(Entry entry) {
    float[] inverse = entry.listed();
    float factor = RotaryFrequencies.of(entry.config()).attentionFactor();
    float[] cos = new float[inverse.length];
    float[] sin = new float[inverse.length];
    for (int i = 0; i < entry.golden().path("positions").size(); i++) {
      int position = entry.golden().path("positions").get(i).asInt();
      RotaryFrequencies.fill(position, inverse, factor, cos, sin);
      float[] wantCos = floats(entry.golden().path("cos").get(i));
      float[] wantSin = floats(entry.golden().path("sin").get(i));
      assertThat(wantCos).hasSameSizeAs(cos);
      for (int k = 0; k < cos.length; k++) {
        assertThat(cos[k]).as("cos %d of %d", k, position).isCloseTo(wantCos[k], tolerance());
        assertThat(sin[k]).as("sin %d of %d", k, position).isCloseTo(wantSin[k], tolerance());
      }
    }
  }

  private static Offset<Float> tolerance() {
    return Offset.offset(2e-6f);
  }

  private static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) array.get(i).asDouble();
    }
    return values;
  }
}
