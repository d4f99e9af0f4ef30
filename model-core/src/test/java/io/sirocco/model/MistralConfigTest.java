package io.sirocco.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.kernel.Activation;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MistralConfigTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A Mistral with these fields besides; apostrophes stand for quotation marks. */
  private static MistralConfig parse(String fields) {
    String more = fields.isEmpty() ? "" : ", " + fields;
    return parseObject("{'model_type': 'mistral'" + more + "}");
  }

  private static MistralConfig parseObject(String object) {
    try {
      return MistralConfig.parse(JSON.readTree(object.replace('\'', '"')), "dir/config.json");
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  private static void refused(String fields, String... words) {
    assertThatExceptionOfType(ModelException.class)
        .as(fields)
        .isThrownBy(() -> parse(fields))
        .withMessageStartingWith("dir/config.json")
        .satisfies(e -> assertThat(e.getMessage()).contains(words));
  }

  @Test
  void absentFieldsHaveTheDefaultsOfTransformers() {
    MistralConfig config = parse("");
    assertThat(config.vocabSize()).isEqualTo(32000);
    assertThat(config.hiddenSize()).isEqualTo(4096);
    assertThat(config.intermediateSize()).isEqualTo(14336);
    assertThat(config.numHiddenLayers()).isEqualTo(32);
    assertThat(config.numAttentionHeads()).isEqualTo(32);
    assertThat(config.numKeyValueHeads()).isEqualTo(8);
    assertThat(config.headDim()).isEqualTo(128);
    assertThat(config.hiddenAct()).isEqualTo(Activation.SILU);
    assertThat(config.maxPositionEmbeddings()).isEqualTo(131072);
    assertThat(config.rmsNormEps()).isEqualTo(1e-6f);
    assertThat(config.rope()).isEqualTo(new RopeParameters(10000, new RopeParameters.Unscaled()));
    assertThat(config.slidingWindow()).hasValue(4096);
    assertThat(config.tieWordEmbeddings()).isFalse();
    assertThat(config.padTokenId()).isEmpty();
    assertThat(config.labels().names()).containsExactly("LABEL_0", "LABEL_1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "mixtral", "Mistral", ""})
  void otherModelTypesAreRefused(String type) {
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> parseObject("{'model_type': '" + type + "'}"))
        .withMessageContaining("model_type is " + type);
  }

  @Test
  void attentionInBothDirectionsIsRefused() {
    refused("'is_causal': false", "is_causal is false", "both directions");
    refused("'is_causal': 'no'", "is_causal", "true or false");
    assertThat(parse("'is_causal': true")).isEqualTo(parse(""));
    assertThat(parse("'is_causal': null")).isEqualTo(parse(""));
  }

  @Test
  void missingModelTypeIsRefused() {
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> parseObject("{}"))
        .withMessageContaining("model_type is missing");
  }

  @Test
  void windowMayBeGivenAbsentOrNull() {
    assertThat(parse("'sliding_window': 8").slidingWindow()).isEqualTo(OptionalInt.of(8));
    assertThat(parse("'sliding_window': null").slidingWindow()).isEmpty();
    assertThat(parse("").slidingWindow()).hasValue(4096);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "'8'", "8.5", "true", "[8]", "4294967304"})
  void windowOfNoPositiveIntegerIsRefused(String window) {
    refused("'sliding_window': " + window, "sliding_window", window.replace('\'', '"'));
  }

  @Test
  void headDimIsGivenOrFollowsFromTheHiddenSize() {
    String sizes = "'hidden_size': 64, 'num_attention_heads': 4, 'num_key_value_heads': 2";
    assertThat(parse(sizes).headDim()).isEqualTo(16);
    assertThat(parse(sizes + ", 'head_dim': null").headDim()).isEqualTo(16);
    assertThat(parse(sizes + ", 'head_dim': 128").headDim()).isEqualTo(128);
    refused(sizes + ", 'head_dim': 7", "head_dim is 7", "even");
    refused(sizes + ", 'head_dim': -8", "head_dim");
    refused("'hidden_size': 16, 'num_attention_heads': 16, 'num_key_value_heads': 2", "head_dim");
  }

  @Test
  void keyValueHeadsDivideTheHeads() {
    assertThat(parse("'num_key_value_heads': null").numKeyValueHeads()).isEqualTo(32);
    refused("'num_attention_heads': 3, 'num_key_value_heads': 2", "num_key_value_heads is 2", "3");
    refused("'num_attention_heads': 0", "num_attention_heads");
    refused("'num_key_value_heads': 0", "num_key_value_heads");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'vocab_size': -24",
        "'hidden_size': 0",
        "'intermediate_size': 1e3",
        "'num_hidden_layers': '2'",
        "'max_position_embeddings': 0",
        "'rms_norm_eps': 0",
        "'rms_norm_eps': '1e-5'",
        "'tie_word_embeddings': 1",
        "'pad_token_id': -1",
        "'hidden_act': 'mish'",
        "'hidden_act': 3",
        "'layer_types': ['full_attention']",
        "'rope_theta': 0",
        "'rope_theta': -1",
        "'rope_theta': 'big'",
        "'rope_parameters': []",
        "'rope_parameters': {'rope_theta': 0}",
        "'rope_scaling': 'yarn'"
      })
  void valueOutOfRangeIsRefusedByItsKey(String field) {
    refused(field, field.substring(1, field.indexOf('\'', 1)));
  }

  @ParameterizedTest
  @CsvSource({
    "silu, SILU",
    "swish, SILU",
    "gelu, GELU",
    "gelu_new, GELU_TANH",
    "gelu_pytorch_tanh, GELU_TANH",
    "gelu_fast, GELU_TANH",
    "quick_gelu, QUICK_GELU",
    "relu, RELU",
    "tanh, TANH",
    "sigmoid, SIGMOID"
  })
  void activationsHaveTheNamesOfTransformers(String name, Activation want) {
    assertThat(parse("'hidden_act': '" + name + "'").hiddenAct()).isEqualTo(want);
  }

  @Test
  void thetaStandsAtTheTopOrAmongTheRopeParameters() {
    assertThat(parse("'rope_theta': 1000000.0").rope().theta()).isEqualTo(1e6);
    assertThat(parse("'rope_parameters': {'rope_theta': 5e5}").rope().theta()).isEqualTo(5e5);
    assertThat(parse("'rope_theta': 1e6, 'rope_parameters': {'rope_theta': 5e5}").rope().theta())
        .isEqualTo(5e5);
    assertThat(parse("'rope_scaling': null, 'rope_theta': 1e6").rope().scaling())
        .isEqualTo(new RopeParameters.Unscaled());
  }

  @Test
  void scalingOfTransformers4WinsOverTheRopeParameters() {
    assertThat(parse("'rope_scaling': {'type': 'linear', 'factor': 4.0}").rope().scaling())
        .isEqualTo(new RopeParameters.Linear(4));
    String both =
        "'rope_scaling': {'rope_type': 'linear', 'factor': 2},"
            + " 'rope_parameters': {'rope_type': 'dynamic', 'factor': 8, 'rope_theta': 77}";
    assertThat(parse(both).rope().scaling()).isEqualTo(new RopeParameters.Linear(2));
    assertThat(parse(both.replaceFirst("\\{[^}]*}", "{}")).rope())
        .isEqualTo(new RopeParameters(77, new RopeParameters.Dynamic(8)));
  }

  @Test
  void originalPositionsStandInEitherPlaceOrFollowFromTheContext() {
    String yarn = "'rope_parameters': {'rope_type': 'yarn', 'factor': 4 %s}";
    assertThat(original(yarn.formatted(", 'original_max_position_embeddings': 512")))
        .isEqualTo(512);
    assertThat(original(yarn.formatted("") + ", 'original_max_position_embeddings': 256"))
        .isEqualTo(256);
    assertThat(original(yarn.formatted("") + ", 'max_position_embeddings': 1024")).isEqualTo(1024);
  }

  private static int original(String fields) {
    return ((RopeParameters.Yarn) parse(fields).rope().scaling()).originalPositions();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "'rope_type': 'ntk'                             | rope_type ntk",
        "'rope_type': 5                                 | rope_type is 5",
        "'rope_type': 'linear'                          | factor is missing",
        "'rope_type': 'linear', 'factor': 0             | factor",
        "'rope_type': 'dynamic', 'factor': 'two'        | factor",
        "'rope_type': 'yarn'                            | factor is missing",
        "'rope_type': 'yarn', 'factor': 2, 'truncate': 1 | truncate",
        "'rope_type': 'llama3', 'factor': 8             | low_freq_factor",
        "'rope_type': 'longrope', 'short_factor': [1]   | short_factor"
      })
  void ropeScalingIsRefusedByItsKey(String rope, String words) {
    refused("'rope_parameters': {%s}".formatted(rope), words);
  }

  @Test
  void dynamicScalingNeedsMoreThanTwoElementsOfHead() {
    refused("'head_dim': 2, 'rope_scaling': {'type': 'dynamic', 'factor': 2.0}", "head_dim");
  }

  @Test
  void labelsComeInTheOrderOfTheirIds() {
    assertThat(parse("'id2label': {'2': 'c', '0': 'a', '1': 'b'}").labels().names())
        .containsExactly("a", "b", "c");
  }

  @Test
  void numberOfLabelsWinsOverNames() {
    assertThat(parse("'num_labels': 3").labels().names())
        .containsExactly("LABEL_0", "LABEL_1", "LABEL_2");
    assertThat(parse("'num_labels': 1, 'id2label': {'0': 'a', '1': 'b'}").labels().names())
        .containsExactly("LABEL_0");
    assertThat(parse("'num_labels': 2, 'id2label': {'0': 'a', '1': 'b'}").labels().names())
        .containsExactly("a", "b");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'id2label': {}",
        "'id2label': {'0': 'a', '2': 'b'}",
        "'id2label': {'0': 'a', 'x': 'b'}",
        "'id2label': {'0': ['a'], '1': 'b'}",
        "'id2label': {'0': 'a', '1': 'a'}",
        "'id2label': {'0': 'a', '-1': 'b'}",
        "'id2label': ['a', 'b']",
        "'num_labels': 0",
        "'num_labels': 2147483647",
        "'num_labels': '2'"
      })
  void labelsThatCannotBeAreRefused(String labels) {
    refused(labels, labels.substring(1, labels.indexOf('\'', 1)));
  }

  @Test
  void problemTypeDecidesWhatLogitsMean() {
    assertThat(parse("").labels().kind()).isEqualTo(Labels.Kind.SINGLE_LABEL);
    assertThat(parse("'num_labels': 1").labels().kind()).isEqualTo(Labels.Kind.ONE_LABEL);
    assertThat(parse("'problem_type': null").labels().kind()).isEqualTo(Labels.Kind.SINGLE_LABEL);
    assertThat(kind("regression")).isEqualTo(Labels.Kind.REGRESSION);
    assertThat(kind("multi_label_classification")).isEqualTo(Labels.Kind.MULTI_LABEL);
    assertThat(kind("single_label_classification")).isEqualTo(Labels.Kind.SINGLE_LABEL);
    refused("'problem_type': 'ranking'", "problem_type", "ranking");
    refused("'num_labels': 1, 'problem_type': 'single_label_classification'", "problem_type");
  }

  private static Labels.Kind kind(String type) {
    return parse("'problem_type': '" + type + "'").labels().kind();
  }

  @Test
  void unknownKeysAreIgnored() {
    assertThat(parse("'use_cache': 5, 'whatever': {'deep': []}")).isEqualTo(parse(""));
  }
}
