package io.sirocco.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.checkpoint.ModelException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where settings come from, which are refused, and what they mean together. */
class GenerationSettingsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void theJobPrecedesTheModelWhichPrecedesTheDefaults() {
    GenerationSettings settings =
        GenerationSettings.resolve(
            GenerationOptions.none()
                .with(GenerationKey.DO_SAMPLE, true)
                .with(GenerationKey.TOP_K, 7),
            model("{'top_k': 9, 'temperature': 0.6, 'eos_token_id': [2, 5], 'top_p': null}"));
    assertThat(settings.effective())
        .contains(
            new EffectiveSetting("do_sample", "true", Origin.JOB),
            new EffectiveSetting("top_k", "7", Origin.JOB),
            new EffectiveSetting("temperature", "0.6", Origin.MODEL),
            new EffectiveSetting("eos_token_id", "[2, 5]", Origin.MODEL),
            new EffectiveSetting("top_p", "1.0", Origin.DEFAULT),
            new EffectiveSetting("max_new_tokens", "256", Origin.DEFAULT),
            new EffectiveSetting("num_beams", "1", Origin.DEFAULT));
    assertThat(settings.withoutEffect()).isEmpty();
    assertThat(settings.isEos(5)).isTrue();
    assertThat(settings.isEos(3)).isFalse();
  }

  @Test
  void keysOfTheJobAndUnknownOnesInAModelsFileAreIgnored() {
    GenerationOptions options =
        model("{'seed': 5, 'n': 3, 'ignore_eos': true, 'frobnicate': 1, 'bos_token_id': 1}");
    assertThat(options).isEqualTo(GenerationOptions.none());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'max_new_tokens': '20'}",
        "{'max_new_tokens': 20.5}",
        "{'max_new_tokens': 0}",
        "{'max_new_tokens': 99999999999}",
        "{'do_sample': 1}",
        "{'temperature': '0.7'}",
        "{'temperature': true}",
        "{'eos_token_id': [2, '3']}",
        "{'eos_token_id': {'id': 2}}",
        "{'early_stopping': 'sometimes'}",
        "{'num_beams': 0}",
        "{'num_beams': 100000}",
        "{'repetition_penalty': 0.0}",
        "{'no_repeat_ngram_size': -1}",
        "{'bad_words_ids': []}",
        "{'bad_words_ids': [[]]}",
        "{'bad_words_ids': [[1], [-2]]}",
        "{'sequence_bias': [[[0], 1.0]]}",
        "{'sequence_bias': {'5': 1.0}}",
        "{'sequence_bias': []}",
        "{'sequence_bias': [[[5], true]]}",
        "{'exponential_decay_length_penalty': [1]}",
        "{'suppress_tokens': 5}",
        "{'stop_strings': ['a', '']}",
        "{'length_penalty': 1e999}",
        "{'guidance_scale': 1.5}",
        "{'penalty_alpha': 0.6}",
        "{'dola_layers': 'high'}",
        "{'constraints': []}",
        "{'force_words_ids': [[1]]}",
        "{'watermarking_config': {}}",
        "{'top_h': 0.4}",
        "{'num_beam_groups': 2}",
        "{'diversity_penalty': 0.5}",
        "{'encoder_repetition_penalty': 1.2}",
        "{'encoder_no_repeat_ngram_size': 2}",
        "{'prompt_lookup_num_tokens': 3}",
        "{'assistant_early_exit': 2}",
        "{'token_healing': true}",
        "{'max_time': 1.0}",
        "{'cache_implementation': 'quantized'}",
        "[]"
      })
  void aModelsFileWithSuchIsRefusedByName(String json) {
    String key = json.length() > 2 ? json.substring(2, json.indexOf('\'', 2)) : "object";
    assertThatThrownBy(() -> model(json))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith("folder/generation_config.json: ")
        .hasMessageContaining(key);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'guidance_scale': 1, 'penalty_alpha': 0.0, 'num_beam_groups': 1, 'diversity_penalty': 0}",
        "{'encoder_repetition_penalty': 1.0, 'encoder_no_repeat_ngram_size': 0, 'top_h': null}",
        "{'token_healing': false, 'cache_implementation': 'static', 'use_cache': false}",
        "{'temperature': 1, 'repetition_penalty': 2, 'early_stopping': 'never', 'top_k': null}",
        "{'do_sample': false, 'temperature': 0.0, 'top_p': -3.0}",
        "{'stop_strings': 'END', 'eos_token_id': 2, 'forced_eos_token_id': [2, 3]}",
        "{'sequence_bias': [[[5, 6], -2]], 'exponential_decay_length_penalty': [3, 1.5],"
            + " 'eos_token_id': 2}",
      })
  void suchAreNotRefused(String json) {
    assertThatCode(() -> GenerationSettings.resolve(GenerationOptions.none(), model(json)))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "{'do_sample': true, 'temperature': 0.0} | temperature | above 0",
        "{'do_sample': true, 'temperature': -1} | temperature | above 0",
        "{'do_sample': true, 'top_p': -0.5} | top_p | 0 to 1",
        "{'do_sample': true, 'top_p': 1.5} | top_p | 0 to 1",
        "{'do_sample': true, 'min_p': 1.5} | min_p | 0 to 1",
        "{'do_sample': true, 'top_k': -1} | top_k | 0 (off) or more",
        "{'do_sample': true, 'typical_p': 0} | typical_p | above 0",
        "{'do_sample': true, 'epsilon_cutoff': 1} | epsilon_cutoff | below 1",
        "{'do_sample': true, 'eta_cutoff': -0.1} | eta_cutoff | below 1",
        "{'num_return_sequences': 2} | num_return_sequences | greedy",
        "{'num_beams': 2, 'num_return_sequences': 3} | num_return_sequences | at most num_beams",
        "{'exponential_decay_length_penalty': [1, 1.5]} | exponential_decay_length_penalty | eos",
      })
  void settingsThatDoNotGoTogetherAreRefused(String json, String key, String expected) {
    assertThatThrownBy(() -> GenerationSettings.resolve(GenerationOptions.none(), model(json)))
        .isInstanceOfSatisfying(
            InvalidSettingException.class, e -> assertThat(e.key()).isEqualTo(key))
        .hasMessageContaining(key + " is ")
        .hasMessageContaining("from the model's generation_config.json")
        .hasMessageContaining(expected);
  }

  @Test
  void whatAJobGivesIsCheckedAtOnce() {
    assertThatThrownBy(() -> GenerationOptions.none().with(GenerationKey.NUM_BEAMS, 0))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessage("num_beams is 0, expected an integer from 1 to 1024");
    GenerationOptions three =
        GenerationOptions.none()
            .with(GenerationKey.N, 3)
            .with(GenerationKey.DO_SAMPLE, true)
            .with(GenerationKey.NUM_RETURN_SEQUENCES, 2);
    assertThatThrownBy(() -> GenerationSettings.resolve(three, GenerationOptions.none()))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining("num_return_sequences, which is 2");
  }

  @Test
  void nPrecedesTheModelsNumReturnSequences() {
    GenerationOptions job =
        GenerationOptions.none().with(GenerationKey.DO_SAMPLE, true).with(GenerationKey.N, 4);
    assertThat(GenerationSettings.resolve(job, model("{'num_return_sequences': 2}")).samples())
        .isEqualTo(4);
    assertThat(
            GenerationSettings.resolve(
                    GenerationOptions.none().with(GenerationKey.DO_SAMPLE, true),
                    model("{'num_return_sequences': 2}"))
                .samples())
        .isEqualTo(2);
  }

  @Test
  void lengthsFollowTheLibrary() {
    assertThat(settings("{}").maxNewTokens(100)).isEqualTo(256);
    assertThat(settings("{'max_length': 30}").maxNewTokens(10)).isEqualTo(20);
    assertThat(settings("{'max_length': 30, 'max_new_tokens': 7}").maxNewTokens(10)).isEqualTo(7);
    assertThatThrownBy(() -> settings("{'max_length': 6}").maxNewTokens(6))
        .isInstanceOf(GenerationException.class)
        .hasMessageContaining("the prompt has 6 tokens and max_length is 6");
    assertThat(settings("{'min_length': 9}").minLength(4)).isEqualTo(9);
    assertThat(settings("{'min_length': 9, 'min_new_tokens': 2}").minLength(4)).isEqualTo(6);
  }

  @Test
  void givenSettingsWithoutEffectAreNamed() {
    GenerationSettings settings =
        GenerationSettings.resolve(
            GenerationOptions.none()
                .with(GenerationKey.TEMPERATURE, 0.7)
                .with(GenerationKey.TOP_K, 50)
                .with(GenerationKey.LENGTH_PENALTY, 2.0)
                .with(GenerationKey.MAX_LENGTH, 30),
            model("{'max_new_tokens': 20}"));
    assertThat(settings.withoutEffect())
        .containsExactly(
            "temperature 0.7 from the job has no effect: do_sample is false",
            "length_penalty 2.0 from the job has no effect: num_beams is 1",
            "max_length 30 from the job has no effect: max_new_tokens 20 from the model's"
                + " generation_config.json takes precedence");
  }

  @Test
  void idsTheModelDoesNotHaveAreRefused() {
    for (String json :
        List.of(
            "{'bad_words_ids': [[3, 100]]}",
            "{'sequence_bias': [[[100], 1.0]]}",
            "{'forced_eos_token_id': 100}",
            "{'forced_bos_token_id': 100}",
            "{'eos_token_id': 100, 'exponential_decay_length_penalty': [1, 1.5]}")) {
      assertThatThrownBy(() -> settings(json).checkVocabulary(100))
          .isInstanceOf(InvalidSettingException.class)
          .hasMessageContaining("id 100")
          .hasMessageContaining("vocabulary size 100");
    }
    settings("{'bad_words_ids': [[99]], 'eos_token_id': 100, 'suppress_tokens': [100]}")
        .checkVocabulary(100);
    assertThatThrownBy(() -> settings("{'eos_token_id': [1, 2, 3]}").checkVocabulary(3))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining("eos_token_id");
  }

  @Test
  void endsCanBeIgnored() {
    GenerationSettings settings =
        GenerationSettings.resolve(
            GenerationOptions.none().with(GenerationKey.IGNORE_EOS, true),
            model("{'eos_token_id': 2, 'min_new_tokens': 5}"));
    assertThat(settings.isEos(2)).isFalse();
    assertThat(ScoreProcessors.of(settings, 1, new SamplingWorkspace()).isNeutral()).isTrue();
  }

  @Test
  void fillingIsThatOfTheLibrary() {
    assertThat(settings("{'eos_token_id': [5, 2], 'pad_token_id': 3}").beamFillId()).isEqualTo(3);
    assertThat(settings("{'eos_token_id': [5, 2], 'pad_token_id': 0}").beamFillId()).isEqualTo(5);
    assertThat(settings("{'eos_token_id': [5, 2]}").beamFillId()).isEqualTo(5);
    assertThat(settings("{'pad_token_id': 3}").beamFillId()).isEqualTo(-1);
    assertThat(settings("{'eos_token_id': [5, 2], 'pad_token_id': 0}").padTokenId()).hasValue(0);
    assertThat(settings("{'eos_token_id': [5, 2]}").padTokenId()).hasValue(5);
    assertThat(settings("{}").padTokenId()).isEmpty();
  }

  @Test
  void settingsTravelToExecutors() throws IOException, ClassNotFoundException {
    GenerationSettings settings =
        settings(
            "{'sequence_bias': [[[5, 6], 2.0]], 'bad_words_ids': [[1, 2]], 'eos_token_id': [2],"
                + " 'exponential_decay_length_penalty': [3, 1.5], 'stop_strings': ['a'],"
                + " 'early_stopping': 'never', 'temperature': 0.5}");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(settings);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      GenerationSettings read = (GenerationSettings) in.readObject();
      assertThat(read.effective()).isEqualTo(settings.effective());
      assertThat(read.eosTokenIds()).containsExactly(2);
    }
  }

  private static GenerationSettings settings(String json) {
    return GenerationSettings.resolve(GenerationOptions.none(), model(json));
  }

  private static GenerationOptions model(String json) {
    JsonNode node;
    try {
      node = JSON.readTree(json.replace('\'', '"'));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(json, e);
    }
    return GenerationOptions.fromJson(node, "folder/generation_config.json");
  }
}
