// Names as gcc 12 and clang 19 mangle them, and as people should read them.

#include "debug/function_name.h"

#include <gtest/gtest.h>

#include <string>

namespace leash::rt {
namespace {

TEST(FunctionNameTest, PlainFunctions) {
  EXPECT_EQ(ReadableFunction("main"), "main");
  EXPECT_EQ(ReadableFunction("pthread_create"), "pthread_create");
  EXPECT_EQ(ReadableFunction("_ZL5Localv"), "Local()");
  EXPECT_EQ(ReadableFunction("_ZN5Cache5EvictE3Key"), "Cache::Evict(Key)");
  EXPECT_EQ(ReadableFunction("_ZN5leash4ChanIiE4SendEi"), "leash::Chan<int>::Send(int)");
  EXPECT_EQ(ReadableFunction("_Z1fM1AFviE"), "f(void (A::*)(int))");
  EXPECT_EQ(ReadableFunction("_Z1fPA3_i"), "f(int (*) [3])");
}

TEST(FunctionNameTest, ParametersLeaveOutWhatTheyShareWithTheFunction) {
  EXPECT_EQ(ReadableFunction("_ZN3app5Cache5EvictERKNS_3KeyE"), "app::Cache::Evict(const Key&)");
  EXPECT_EQ(ReadableFunction("_ZNK3app5CacheltERKS0_"), "app::Cache::operator<(const Cache&)");
  EXPECT_EQ(ReadableFunction("_ZN3app4SwapERNS_5OuterIN5other3KeyEEE"),
            "app::Swap(Outer<other::Key>&)");
}

TEST(FunctionNameTest, StandardTypesHaveTheNamesThatPeopleWrite) {
  EXPECT_EQ(
      ReadableFunction("_ZN3app5CacheclENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEi"),
      "app::Cache::operator()(std::string, int)");
  EXPECT_EQ(
      ReadableFunction("_ZN3app5Cache3PutIlEEvT_St3mapINSt7__cxx1112basic_stringIcSt11char_trai"
                       "tsIcESaIcEEESt6vectorIiSaIiEESt4lessIS9_ESaISt4pairIKS9_SC_EEE"),
      "app::Cache::Put<long>(long, std::map<std::string, std::vector<int>>)");
  EXPECT_EQ(
      ReadableFunction("_ZN3app12_GLOBAL__N_14AnonESt10unique_ptrINS_5CacheESt14default_deleteIS"
                       "2_EESt17basic_string_viewIcSt11char_traitsIcEEPFiRKNS_3KeyEE"),
      "app::Anon(std::unique_ptr<Cache>, std::string_view, int (*)(const Key&))");
  EXPECT_EQ(ReadableFunction("_ZlsRSoRK1A"), "operator<<(std::ostream&, const A&)");
  EXPECT_EQ(ReadableFunction("_ZNSolsEi"), "std::ostream::operator<<(int)");
  EXPECT_EQ(ReadableFunction("_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEC1EPKc"),
            "std::string::string(const char*)");
  EXPECT_EQ(ReadableFunction("_Z1fNSt6chrono8durationIlSt5ratioILl1ELl1000EEEE"),
            "f(std::chrono::milliseconds)");
}

TEST(FunctionNameTest, WhatIsTooLongToReadIsLeftOut) {
  EXPECT_EQ(ReadableDemangled("a::f(one::very::long::type::name, two::very::long::type::name, "
                              "three::very::long::type::name)"),
            "a::f(...)");
  EXPECT_EQ(
      ReadableDemangled("void a::g<one::very::long::type::name, two::very::long::type::name>(int)"),
      "a::g<...>(int)");
}

TEST(FunctionNameTest, OfConstrainedTemplatesWhatOldDemanglersUnderstand) {
  EXPECT_EQ(ReadableFunction("_Z4FreeIiQsr3stdE8integralIT_EEiS0_"), "Free<...>(...)");
  EXPECT_EQ(ReadableFunction("_ZN1A4TakeIiQsr3stdE8integralIT_EEEiS1_"), "A::Take<...>(...)");
  EXPECT_EQ(ReadableFunction("_ZN1BIiE4TakeIiQsr3stdE8integralITL0__EEEiT_i"),
            "B<int>::Take<...>(...)");
  EXPECT_EQ(ReadableFunction("_ZN1BIiE2MeEiQsr3stdE8integralIT_E"), "B<int>::Me(int)");
  EXPECT_EQ(ReadableFunction("_ZN1n3AllIJilEQfraasr3stdE8integralIT_EEEiDpS1_"),
            "n::All<...>(...)");
  EXPECT_EQ(ReadableFunction("_ZN1n4AutoITkSt8integraliEEiT_"), "n::Auto<...>(...)");
  EXPECT_EQ(ReadableFunction("_ZN5leash6SelectIJEQfraasr8internalE4CaseINSt16remove_referenceIT_E4"
                             "typeEEEEmDpOS2_"),
            "leash::Select<...>(...)");
  EXPECT_EQ(ReadableFunction("_ZN3app5QueueIiE4PushIiQsr3stdE8integralIT_EEEiS1_"),
            "app::Queue<int>::Push<...>(...)");
  EXPECT_EQ(ReadableFunction("_ZN1AIiE5QueueIiQsr3stdE8integralIT_EEEiS1_"),
            "A<int>::Queue<...>(...)");
  EXPECT_EQ(ReadableFunction("_Z5QuitsQ"), "Quits");
  EXPECT_EQ(ReadableFunction("_Z9QuitQ"), "_Z9QuitQ");
}

TEST(FunctionNameTest, TagsAndSuffixesAreLeftOut) {
  EXPECT_EQ(ReadableFunction("_ZN1AB5cxx113fooB5cxx11Ev"), "A::foo()");
  EXPECT_EQ(ReadableFunction("_ZL3foov.constprop.0"), "foo()");
  EXPECT_EQ(ReadableFunction("_Z3foov.part.0.cold"), "foo()");
  EXPECT_EQ(ReadableFunction("foo.isra.0"), "foo");
  EXPECT_EQ(ReadableFunction("foo.llvm.1234"), "foo");
  EXPECT_EQ(ReadableFunction("__libc_start_main@@GLIBC_2.34"), "__libc_start_main");
  EXPECT_EQ(ReadableFunction("_ZThn8_N1A1fEv"), "A::f()");
  EXPECT_EQ(ReadableFunction("_ZN12_GLOBAL__N_11AC2Ev"), "A::A()");
}

TEST(FunctionNameTest, Operators) {
  EXPECT_EQ(ReadableFunction("_ZN1AcviEv"), "A::operator int()");
  EXPECT_EQ(ReadableFunction("_ZNK3app5CachecvbEv"), "app::Cache::operator bool()");
  EXPECT_EQ(ReadableFunction("_ZN1ArsEi"), "A::operator>>(int)");
  EXPECT_EQ(ReadableFunction("_ZN1AltI1BEEbRKT_"), "A::operator< <B>(const B&)");
  EXPECT_EQ(ReadableFunction("_ZN1AssERKS_"), "A::operator<=>(const A&)");
  EXPECT_EQ(ReadableFunction("_ZNK1AptEv"), "A::operator->()");
  EXPECT_EQ(ReadableFunction("_Znwm"), "operator new(unsigned long)");
  EXPECT_EQ(ReadableFunction("_ZdaPv"), "operator delete[](void*)");
}

TEST(FunctionNameTest, Templates) {
  EXPECT_EQ(ReadableFunction("_Z1fIJiiEEvDpT_"), "f<int, int>(int, int)");
  EXPECT_EQ(ReadableFunction("_Z3fooILi3EXadL_Z3barvEEEvv"), "foo<3, &(bar())>()");
  EXPECT_EQ(ReadableFunction("_ZNSt6threadC1IRFvvEJEvEEOT_DpOT0_"),
            "std::thread::thread<void (&)(), void>(void (&)())");
}

TEST(FunctionNameTest, LambdasOfGccAndClang) {
  for (const char* name :
       {"_ZZN3app5Cache5StartEvENKUlvE_clEv", "_ZZN3app5Cache5StartEvENK3$_0clEv"}) {
    EXPECT_EQ(ReadableFunction(name, "/src/cache.cc", 41),
              "app::Cache::Start()::lambda at cache.cc:41");
    EXPECT_EQ(ReadableFunction(name), "app::Cache::Start()::lambda#1");
  }
  EXPECT_EQ(ReadableFunction("_ZZ4mainENKUlvE1_clEv"), "main::lambda#3");
  EXPECT_EQ(ReadableFunction("_ZZ4mainENK3$_2clEv"), "main::lambda#3");
  EXPECT_EQ(ReadableFunction("_ZNK3$_0clEv", "a.cc", 3), "lambda at a.cc:3");
  // With parameters, of its own or of a template.
  EXPECT_EQ(ReadableFunction("_ZZ4mainENKUlRKN3app3KeyEE_clES2_", "a.cc", 3),
            "main::lambda at a.cc:3");
  // LLVM's demangler.
  EXPECT_EQ(ReadableDemangled("main::'lambda0'(int)::operator()(int) const", "a.cc", 3),
            "main::lambda at a.cc:3");
  EXPECT_EQ(ReadableDemangled("main::'lambda'()::operator()() const"), "main::lambda#1");
}

TEST(FunctionNameTest, LambdasInLambdas) {
  EXPECT_EQ(ReadableFunction("_ZZZN3app5Cache5StartEvENKUlvE_clEvENKUlvE_clEv", "cache.cc", 43),
            "app::Cache::Start()::lambda::lambda at cache.cc:43");
  EXPECT_EQ(ReadableFunction("_ZZZ4mainENK3$_2clEvENKUliE_clEi", "a.cc", 9),
            "main::lambda::lambda at a.cc:9");
  EXPECT_EQ(
      ReadableFunction(
          "_ZZZN3app5Cache3PutIlEEvT_St3mapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
          "St6vectorIiSaIiEESt4lessIS9_ESaISt4pairIKS9_SC_EEEENKUlS2_E_clIiEEDaS2_ENKUlvE_clEv",
          "cache.cc", 12),
      "app::Cache::Put<long>(long, std::map<std::string, std::vector<int>>)::lambda::lambda at "
      "cache.cc:12");
}

TEST(FunctionNameTest, LambdasAsArguments) {
  EXPECT_EQ(ReadableFunction("_ZN3app5ApplyIZ4mainEUlvE1_EEDTclfp_EEOT_"),
            "app::Apply<lambda>(lambda&&)");
  EXPECT_EQ(ReadableFunction("_ZN3app5ApplyIZ4mainE3$_1EEDTclfp_EEOT_"),
            "app::Apply<lambda>(lambda&&)");
  EXPECT_EQ(
      ReadableFunction("_ZNSt17_Function_handlerIFvvEZN3app5Cache5StartEvEUlvE_E9_M_invokeERKSt9"
                       "_Any_data"),
      "std::_Function_handler<void (), lambda>::_M_invoke(const std::_Any_data&)");
  EXPECT_EQ(ReadableDemangled("Inl<(lambda at b.cc:20:67)>"), "Inl<lambda>");
}

TEST(FunctionNameTest, WhatIsNotUnderstoodStaysAsItIs) {
  EXPECT_EQ(ReadableFunction("_Zgarbage"), "_Zgarbage");
  EXPECT_EQ(ReadableFunction(""), "");
  EXPECT_EQ(ReadableDemangled("f(int"), "f(int");
  EXPECT_EQ(ReadableDemangled("f)"), "f)");
  EXPECT_EQ(ReadableDemangled("a<b>c)d("), "a<b>c)d(");
  EXPECT_EQ(ReadableDemangled(std::string(5000, '(')), std::string(5000, '('));
}

TEST(FunctionNameTest, Types) {
  EXPECT_EQ(ReadableType("std::vector<std::__cxx11::basic_string<char, std::char_traits<char>, "
                         "std::allocator<char> >, std::allocator<std::__cxx11::basic_string<char, "
                         "std::char_traits<char>, std::allocator<char> > > >"),
            "std::vector<std::string>");
  EXPECT_EQ(ReadableType("app::Key const*"), "const app::Key*");
  EXPECT_EQ(ReadableType("int"), "int");
  EXPECT_EQ(ReadableType("(anonymous namespace)::Key"), "Key");
}

TEST(RuntimeFunctionTest, HidesTheTwoNamespacesAndNothingElseOfLeash) {
  EXPECT_TRUE(IsRuntimeFunction("_ZN5leash2rt4ParkEv"));
  EXPECT_TRUE(IsRuntimeFunction("_ZN5leash8internal7ClosureIZ4mainEUlvE_JEE3RunEPv"));
  EXPECT_TRUE(IsRuntimeFunction("_ZZN5leash8internal5SpawnEvENKUlvE_clEv"));
  EXPECT_TRUE(IsRuntimeFunction("_ZNK5leash8internal1fEv.cold"));
  EXPECT_TRUE(IsRuntimeFunction("leash::internal::Closure<int, std::less<int> >::Run"));
  EXPECT_TRUE(IsRuntimeFunction("leash_goroutine_entry"));
  EXPECT_FALSE(IsRuntimeFunction("_ZN5leash4ChanIiE4SendEi"));
  EXPECT_FALSE(IsRuntimeFunction("_ZN5leash5Mutex4LockEv"));
  EXPECT_FALSE(IsRuntimeFunction("_ZN5leash2goIJEEEvv"));
  EXPECT_FALSE(IsRuntimeFunction("_ZN5leash3rts1fEv"));
  EXPECT_FALSE(IsRuntimeFunction("_ZN5other8internal1fEv"));
  // The user's lambda that a goroutine runs.
  EXPECT_FALSE(IsRuntimeFunction("_ZZN3app5Cache5StartEvENKUlvE_clEv"));
}

TEST(RuntimeFunctionTest, HidesThePlumbingOfTheLanguage) {
  EXPECT_TRUE(
      IsRuntimeFunction("_ZSt10__invoke_rIvRZ4mainEUlvE_JEENSt9enable_ifIX16is_invocable_r_vIT_T0"
                        "_DpT1_EES3_E4typeEOS4_DpOS5_"));
  EXPECT_TRUE(
      IsRuntimeFunction("_ZNSt17_Function_handlerIFvvEZ4mainEUlvE_E9_M_invokeERKSt9_Any_data"));
  EXPECT_TRUE(IsRuntimeFunction("_ZNKSt8functionIFvvEEclEv"));
  EXPECT_TRUE(IsRuntimeFunction("_ZSt5applyIRFvvESt5tupleIJEEEDcOT_OT0_"));
  EXPECT_TRUE(IsRuntimeFunction("_ZNSt6thread8_InvokerISt5tupleIJPFvvEEEEclEv"));
  EXPECT_TRUE(IsRuntimeFunction("_ZZ4mainENUlvE_4_FUNEv"));
  EXPECT_TRUE(IsRuntimeFunction("std::function<void ()>::operator()"));
  EXPECT_TRUE(IsRuntimeFunction("__libc_start_main@@GLIBC_2.34"));
  EXPECT_TRUE(IsRuntimeFunction("start_thread"));
  EXPECT_TRUE(IsRuntimeFunction("clone3"));
  EXPECT_TRUE(IsRuntimeFunction("_start"));
  EXPECT_FALSE(IsRuntimeFunction("main"));
  EXPECT_FALSE(IsRuntimeFunction("_ZSt4sortIPiEvT_S1_"));
  EXPECT_FALSE(IsRuntimeFunction("_ZNSt6vectorIiSaIiEE9push_backERKi"));
  EXPECT_FALSE(
      IsRuntimeFunction("_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE6appendEPKc"));
  EXPECT_FALSE(IsRuntimeFunction("_ZN1A6invokeEv"));
  EXPECT_FALSE(IsRuntimeFunction(""));
  EXPECT_FALSE(IsRuntimeFunction("_Z"));
}

// _ZN5leash8internal7Closure I <lambda> E 3Run E Pv
TEST(FunctionNameTest, TheLambdaOfAGoroutineStandsInTheSymbolOfItsCaller) {
  EXPECT_EQ(SpawnedLambda("_ZN5leash8internal7ClosureIZN5Cache5StartEiEUlvE0_JEE3RunEPv"),
            "Cache::Start(int)::{lambda()#2}");
  EXPECT_EQ(SpawnedLambda("_ZN5leash8internal7ClosureIZN5Cache5StartEvEUliE_JiEE3RunEPv.cold"),
            "Cache::Start()::{lambda(int)#1}");
  EXPECT_EQ(SpawnedLambda("_ZN5leash8internal7ClosureINS0_11CountedTaskINS0_7CounterEZN5Cache5Start"
                          "EvEUlvE_EEJEE3RunEPv"),
            "Cache::Start()::{lambda()#1}");
  EXPECT_EQ(SpawnedLambda("_ZN5leash8internal7ClosureIPFviEJiEE3RunEPv"), "") << "a function";
  EXPECT_EQ(SpawnedLambda("_ZZN5Cache5StartEiENKUlvE0_clEv"), "") << "not its caller";
  EXPECT_EQ(SpawnedLambda("main"), "");
}

}  // namespace
}  // namespace leash::rt
