package io.sirocco.spark.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.engine.Engine;
import io.sirocco.engine.EngineOptions;
import io.sirocco.engine.PrecisionChoice;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which engines are open when, and how many threads they have. */
class ExecutorEngineTest {
  private static final EngineOptions SMALL = TicketModel.engine(PrecisionChoice.FLOAT32, 1, 256);
  private static final EngineOptions LARGE = TicketModel.engine(PrecisionChoice.FLOAT32, 1, 512);

  @AfterEach
  void closeEngines() {
    ExecutorEngine.closeIdle();
    assertThat(ExecutorEngine.openEngines()).isZero();
  }

  @Test
  void otherOptionsReplaceAnEngineThatNobodyUses() {
    try (ExecutorEngine.Lease first = TicketModel.lease(SMALL)) {
      try (ExecutorEngine.Lease same = TicketModel.lease(SMALL);
          ExecutorEngine.Lease other = TicketModel.lease(LARGE)) {
        assertThat(same.engine()).isSameAs(first.engine()).isNotSameAs(other.engine());
        assertThat(ExecutorEngine.openEngines()).isEqualTo(2);
      }
      assertThat(ExecutorEngine.openEngines()).isEqualTo(2);
    }
    assertThat(ExecutorEngine.openEngines()).isEqualTo(1);
  }

  @Test
  void manyWhoAskAtOnceGetTheSameEngine() {
    Set<Engine> engines = ConcurrentHashMap.newKeySet();
    List<ExecutorEngine.Lease> leases =
        IntStream.range(0, 16).parallel().mapToObj(i -> TicketModel.lease(SMALL)).toList();

    leases.forEach(lease -> engines.add(lease.engine()));
    leases.forEach(ExecutorEngine.Lease::close);
    leases.forEach(ExecutorEngine.Lease::close);

    assertThat(engines).hasSize(1);
    assertThat(ExecutorEngine.openEngines()).isEqualTo(1);
  }

  @Test
  void aBrokenEngineIsNotHandedOutAgain() {
    ExecutorEngine.Lease broken = TicketModel.lease(SMALL);
    broken.reportFailure();
    try (ExecutorEngine.Lease next = TicketModel.lease(SMALL)) {
      assertThat(next.engine()).isNotSameAs(broken.engine());
      broken.close();
      assertThat(ExecutorEngine.openEngines()).isEqualTo(1);
    }
  }

  @Test
  void kernelThreadsFollowTheExecutorsCores() {
    assertThat(cores("local", "8")).hasValue(1);
    assertThat(cores("local[3]", "8")).hasValue(3);
    assertThat(cores("local[4,2]", "8")).hasValue(4);
    assertThat(cores("local[*]", "8")).isEmpty();
    assertThat(cores("local[*,2]", "8")).isEmpty();
    assertThat(cores("spark://host:7077", "8")).hasValue(8);
    assertThat(cores("spark://host:7077", "")).isEmpty();
    assertThat(cores("yarn", "")).hasValue(1);
    assertThat(cores("k8s://https://host", "6")).hasValue(6);
  }

  private static OptionalInt cores(String master, String executorCores) {
    boolean defaults = false;
    SparkConf conf = new SparkConf(defaults).set("spark.master", master);
    if (!executorCores.isEmpty()) {
      conf.set("spark.executor.cores", executorCores);
    }
    return ExecutorCores.of(conf);
  }

  @Test
  void anEngineHasNoMoreThreadsThanAreAskedForOrThere() {
    int processors = Runtime.getRuntime().availableProcessors();

    assertThat(ExecutorEngine.onThisExecutor(SMALL).threads()).isEqualTo(1);
    assertThat(
            ExecutorEngine.onThisExecutor(
                    TicketModel.engine(PrecisionChoice.FLOAT32, ExecutorEngine.ALL_CORES, 256))
                .threads())
        .isBetween(1, processors);
  }
}
