package io.sirocco.spark;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/**
 * The command line runs jobs and benchmarks, which are jobs, too; a job knows its file, the
 * executors' side, output and sizing, which do not know each other. Where models come from is
 * beneath.
 */
class PackageDirectionTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.sirocco.spark");

  @Test
  void packagesKnowOnlyThoseBeneathThem() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("job")
        .definedBy("io.sirocco.spark.job")
        .layer("bench")
        .definedBy("io.sirocco.spark.bench")
        .layer("run")
        .definedBy("io.sirocco.spark.run")
        .layer("config")
        .definedBy("io.sirocco.spark.config")
        .layer("exec")
        .definedBy("io.sirocco.spark.exec")
        .layer("output")
        .definedBy("io.sirocco.spark.output")
        .layer("sizing")
        .definedBy("io.sirocco.spark.sizing")
        .layer("store")
        .definedBy("io.sirocco.spark.store")
        .whereLayer("job")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("bench")
        .mayOnlyBeAccessedByLayers("job")
        .whereLayer("run")
        .mayOnlyBeAccessedByLayers("job", "bench")
        .whereLayer("config")
        .mayOnlyBeAccessedByLayers("job", "bench", "run")
        .whereLayer("exec")
        .mayOnlyBeAccessedByLayers("job", "run")
        .whereLayer("output")
        .mayOnlyBeAccessedByLayers("job", "bench", "run")
        .whereLayer("sizing")
        .mayOnlyBeAccessedByLayers("run")
        .whereLayer("store")
        .mayOnlyBeAccessedByLayers("job", "run", "config", "exec")
        .check(CLASSES);
  }

  @Test
  void noPackagesKnowEachOther() {
    slices().matching("io.sirocco.spark.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void theModelIsReachedThroughItsEngine() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "io.sirocco.spark.exec", "io.sirocco.spark.output", "io.sirocco.spark.sizing")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.sirocco.kernel..", "io.sirocco.tokenizer..", "io.sirocco.bench..")
        .check(CLASSES);
  }

  @Test
  void theStoreKnowsFilesOnly() {
    noClasses()
        .that()
        .resideInAPackage("io.sirocco.spark.store")
        .should()
        .dependOnClassesThat(
            resideInAPackage("io.sirocco..")
                .and(
                    not(
                        resideInAnyPackage(
                            "io.sirocco.spark.store",
                            "io.sirocco.checkpoint",
                            "io.sirocco.prepared"))))
        .check(CLASSES);
  }
}
