package io.sirocco.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class BenchTestTest {

  @Test
  void testsAreNamedAsLlamaBenchNamesThem() {
    assertThat(BenchTest.named("pp512")).contains(new BenchTest.Prompt(512));
    assertThat(BenchTest.named("tg32")).contains(new BenchTest.Writing(32, 0));
    assertThat(BenchTest.named("tg32@d128")).contains(new BenchTest.Writing(32, 128));
    assertThat(BenchTest.named("pp128+tg32"))
        .contains(new BenchTest.Serving(128, 32, BenchTest.Prompts.OWN));
    assertThat(BenchTest.named("pp128+tg32@shared"))
        .contains(new BenchTest.Serving(128, 32, BenchTest.Prompts.SHARED));
    assertThat(BenchTest.named("classify")).contains(new BenchTest.Classify());
    assertThat(BenchTest.named("job")).contains(new BenchTest.Job());
    assertThat(BenchTest.named("batching")).contains(new BenchTest.Batching());
  }

  @Test
  void otherNamesAreNoTests() {
    for (String name : List.of("", "pp", "pp0", "tg0", "pp512@d2", "tg32@128", "pp1+tg", "Job")) {
      assertThat(BenchTest.named(name)).as(name).isEmpty();
    }
  }
}
