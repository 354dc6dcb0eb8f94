"""What rules and plans say, said again in Chinese.

In: a sentence that a rule or the planner wrote in English. Out: the same in Chinese where its form
is known, else the sentence as it is. Names, numbers and paths inside it stay what they are.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ANY = r"(.+?)"
_LAST = r"(.+)"
_NUMBER = r"([-+−]?[\d.,]+(?:e[-+]?\d+)?|not finite)"


class _Part(str):
    """A piece of a sentence; `{0:zh}` says it in Chinese, `{0}` leaves it."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return chinese(str(self)) if spec == "zh" else str(self)


_STAYS = r"((?:\w+, )?stays in .+?)"
_PLACE = r"((?:served|which stands) in .+|which names no residency)"
_COUNTED = rf" \(n = {_NUMBER}, 95 % interval {_NUMBER} to {_NUMBER}\)"
_ENDS = r"((?:, 95 % interval \S+ to \S+?)?)"
_RANGE = "（n = {3}，95 % 区间 {4} 至 {5}）"
_SENTENCES = (
    # waivers
    (rf"{_ANY}; waived until (\S+) by (\S+) \({_ANY}, {_ANY}, (\d+) days? left\): {_LAST}",
     "{0:zh}；由 {2} 豁免至 {1}（{3}，{4}，剩余 {5} 天）：{6}"),
    (rf"the waiver of {_ANY} expired on (\S+), and (?:.+) is inconclusive",
     "{0} 的豁免已于 {1} 到期，而该门禁无法判定"),
    (rf"the waiver of {_ANY} expired on (\S+), and (?:.+) is failed",
     "{0} 的豁免已于 {1} 到期，而该门禁未通过"),
    (rf"the waiver of {_ANY} expired on (\S+), and (?:.+) does not need it",
     "{0} 的豁免已于 {1} 到期，且该门禁已不需要豁免"),
    (rf"the waiver of {_ANY} ends (\d+) days ahead, on (\S+); more than (\d+) do not count",
     "{0} 的豁免将于 {1} 天后（{2}）到期，超过 {3} 天的豁免不生效"),
    (rf'no gate or rule is called "{_LAST}"', "没有名为“{0}”的门禁或规则"),
    (rf"{_ANY} cannot be waived", "{0} 不可豁免"),
    (rf"{_ANY} waived until (\S+)", "{0} 豁免至 {1}"),
    ("not waived", "未豁免"),
    ("in use", "使用中"),
    ("unused", "未使用"),
    ("expired", "已过期"),
    ("too long", "期限过长，不生效"),
    ("unknown gate", "没有此门禁"),
    ("not waivable", "不可豁免"),
    (rf"written by {_ANY}; has (\d+) of (\d+) approvals from {_ANY} \({_ANY}\)(?:: {_LAST})?",
     "由 {0} 提交；{3} 的审批（{4}）已有 {1} / {2} 份"),
    # reuse that is tried out
    (rf"{_ANY} does not repeat: {_ANY}; (\d+) of (\d+) jobs? that (?:was|were) run once more gave"
     rf" another result: at most {_NUMBER} % do \(95 %, one-sided\); to the bit agree (\d+)",
     "{0} 未能重现：{1}；{3} 个重跑的任务中有 {2} 个结果不同：至多 {4} % 如此（95 %，单侧）；"
     "逐位一致的有 {5} 个"),
    (rf"(\d+) jobs? drawn and not run once more yet: {_ANY}; {_LAST}",
     "有 {0} 个任务已抽中而尚未重跑：{1}；{2:zh}"),
    (rf"(\d+) of (\d+) jobs? that (?:was|were) run once more gave another result:"
     rf" at most {_NUMBER} % do \(95 %, one-sided\); to the bit agree (\d+)",
     "{1} 个重跑的任务中有 {0} 个结果不同：至多 {2} % 如此（95 %，单侧）；逐位一致的有 {3} 个"),
    ("no reused job was run once more yet", "尚无复用的任务被重跑"),
    ("llmops run runs them once more", "llmops run 会把它们再运行一次"),
    (r"find out why it does not repeat \(tools, machine, a seed\), and change the job",
     "查明为何无法重现（工具、机器、随机种子），并修改该任务"),
    (rf"drawn to be run once more \(reuse_audit {_NUMBER}\)",
     "已抽中，将再运行一次（reuse_audit {0}）"),
    # judges
    (rf"{_ANY}; the judge alone said {_NUMBER}, corrected by (\d+) anchors",
     "{0:zh}；裁判模型自身的结果为 {1}，已按 {2} 条人工评分样本校正"),
    (r"the judge is wrong on (\d+) of (\d+) control items known good: "
     r"its judgements decide nothing",
     "裁判模型在 {1} 条已知合格的对照样本中判错 {0} 条：其判定不作数"),
    (r"the judge is wrong on (\d+) of (\d+) control items known bad: its judgements decide nothing",
     "裁判模型在 {1} 条已知不合格的对照样本中判错 {0} 条：其判定不作数"),
    (r"the judge is wrong on (\d+) of (\d+) control items that give the judge orders: "
     r"its judgements decide nothing",
     "裁判模型在 {1} 条含有指令注入的对照样本中被误导 {0} 条：其判定不作数"),
    ("a rated row is counted twice", "有人工评分样本被重复计数"),
    ("no rated row is for this check", "没有针对该检查的人工评分样本"),
    (rf"(\d+) of (\d+) rated rows have no judgement: {_LAST}",
     "{1} 条人工评分样本中有 {0} 条没有有效判定：{2}"),
    (rf"no rated rows are kept of {_LAST}", "没有保存 {0} 的人工评分样本"),
    ("no anchor is rated good, so the judge's sensitivity is not known",
     "没有评为合格的样本，无法得知裁判模型的灵敏度"),
    ("no anchor is rated bad, so the judge's specificity is not known",
     "没有评为不合格的样本，无法得知裁判模型的特异度"),
    (rf"the judge's sensitivity {_NUMBER} is not shown to be at least {_NUMBER} "
     r"\((\d+) of (\d+) good anchors\)",
     "裁判模型的灵敏度为 {0}，尚不能证明不低于 {1}（{3} 条合格样本中判对 {2} 条）"),
    (rf"the judge's specificity {_NUMBER} is not shown to be at least {_NUMBER} "
     r"\((\d+) of (\d+) bad anchors\)",
     "裁判模型的特异度为 {0}，尚不能证明不低于 {1}（{3} 条不合格样本中判对 {2} 条）"),
    ("the anchors do not show the judge to be better than chance",
     "人工评分样本不能证明裁判模型优于随机判定"),
    ("the judge passes more cases than it passes of the good anchors",
     "裁判模型判为合格的用例比例高于其在合格样本上的比例，二者矛盾"),
    ("the judge passes fewer cases than it passes of the bad anchors",
     "裁判模型判为合格的用例比例低于其在不合格样本上的比例，二者矛盾"),
    (rf"{_ANY} lets a judge of unknown errors decide {_LAST}",
     "{0} 由出错率未知的裁判模型判定 {1}"),
    # claims on numbers
    (rf"{_ANY} {_NUMBER} meets {_LAST}{_COUNTED}", "{0} 为 {1}，满足要求：{2:zh}" + _RANGE),
    (rf"{_ANY} {_NUMBER} is below the minimum {_NUMBER}{_COUNTED}",
     "{0} 为 {1}，低于下限 {2}" + _RANGE),
    (rf"{_ANY} {_NUMBER} is above the maximum {_NUMBER}{_COUNTED}",
     "{0} 为 {1}，高于上限 {2}" + _RANGE),
    (rf"{_ANY} {_NUMBER} is not shown to be at least {_NUMBER}{_COUNTED}",
     "{0} 为 {1}，尚不能证明不低于 {2}" + _RANGE),
    (rf"{_ANY} {_NUMBER} is not shown to be at most {_NUMBER}{_COUNTED}",
     "{0} 为 {1}，尚不能证明不高于 {2}" + _RANGE),
    (rf"{_ANY} {_NUMBER} meets {_LAST} \(n = {_NUMBER}\)",
     "{0} 为 {1}，满足要求：{2:zh}（n = {3}）"),
    (rf"{_ANY} {_NUMBER} is below the minimum {_NUMBER} \(n = {_NUMBER}\)",
     "{0} 为 {1}，低于下限 {2}（n = {3}）"),
    (rf"{_ANY} {_NUMBER} is above the maximum {_NUMBER} \(n = {_NUMBER}\)",
     "{0} 为 {1}，高于上限 {2}（n = {3}）"),
    (rf"{_ANY} {_NUMBER} is not shown to be at least {_NUMBER} \(n = {_NUMBER}\)",
     "{0} 为 {1}，尚不能证明不低于 {2}（n = {3}）"),
    (rf"{_ANY} {_NUMBER} is not shown to be at most {_NUMBER} \(n = {_NUMBER}\)",
     "{0} 为 {1}，尚不能证明不高于 {2}（n = {3}）"),
    # prompts
    (rf"{_ANY}: test {_ANY} has no golden text {_LAST}", "{0}：测试 {1} 没有标准文本 {2}"),
    (rf"{_ANY}: the golden text {_ANY} is not of this prompt", "{0}：标准文本 {1} 不属于该提示词"),
    # gaps
    (rf"{_ANY} by {_ANY} goes from {_NUMBER} \({_ANY}\) to {_NUMBER} \({_ANY}\), "
     rf"a gap of {_NUMBER}, {_ANY} \(n = {_NUMBER} cases{_ENDS}\)",
     "{0} 按 {1} 从 {2}（{3}）到 {4}（{5}），差距为 {6}，{7:zh}（n = {8} 个用例{9:zh}）"),
    (rf"{_ANY} is {_NUMBER} \({_ANY}\) and {_NUMBER} \({_ANY}\), a gap of {_NUMBER}, "
     rf"{_ANY} \(n = {_NUMBER} pairs{_ENDS}\)",
     "{0} 为 {1}（{2}）与 {3}（{4}），差距为 {5}，{6:zh}（n = {7} 对{8:zh}）"),
    (rf", 95 % interval {_NUMBER} to {_NUMBER}", "，95 % 区间 {0} 至 {1}"),
    (rf"more than the maximum {_NUMBER}", "超过上限 {0}"),
    (rf"shown to be at most {_NUMBER}", "已证明不超过 {0}"),
    (rf"not shown to be at most {_NUMBER}, nor to be more",
     "既不能证明不超过 {0}，也不能证明超过"),
    (rf"every case has {_ANY}, so there is nothing to compare", "所有用例均为 {0}，无可比较"),
    (r"(\d+) of (\d+) pairs do not have one row of each variant: (.+)",
     "{1} 对中有 {0} 对不是每种变体各一行：{2}"),
    (r"(\d+) of (\d+) pairs expect two answers: (.+)", "{1} 对中有 {0} 对的期望答案不一致：{2}"),
    (r"(\d+) of (\d+) rows have no pair or no variant: (.+)",
     "{1} 行中有 {0} 行缺少 pair 或 variant：{2}"),
    (r"there (?:is|are) (\d+) variants?, (.+): pairs compare two",
     "共有 {0} 种变体（{1}），而成对比较需要两种"),
    (rf'no case has a column "{_LAST}"', "没有用例含有列“{0}”"),
    (rf"no case has {_LAST}", "没有用例属于 {0}"),
    (rf"{_ANY} ((?:min|max) \S+(?: max \S+)?): {_LAST}", "{0}（{1:zh}）：{2:zh}"),
    (rf"min {_NUMBER} max {_NUMBER}", "不低于 {0} 且不高于 {1}"),
    (rf"max {_NUMBER} min {_NUMBER}", "不低于 {1} 且不高于 {0}"),
    (rf"min {_NUMBER}", "不低于 {0}"),
    (rf"max {_NUMBER}", "不高于 {0}"),
    (rf"margin {_NUMBER}", "变差幅度不超过 {0}"),
    ("no case", "没有用例"),
    ("a case is counted twice", "有用例被重复计数"),
    (rf"(\d+) of (\d+) cells invalid: {_LAST}", "{1} 个结果中有 {0} 个无效：{2}"),
    (rf"{_ANY} has no range to test a mean in", "{0} 没有取值范围，无法检验均值"),
    (rf"{_ANY} has no range to compare in", "{0} 没有取值范围，无法比较"),
    (rf"not shown: {_LAST}", "证据不足：{0:zh}"),
    (rf"passed by the point rule; {_LAST}", "按实测值通过；{0:zh}"),
    (rf"failed by the point rule; {_LAST}", "按实测值未通过；{0:zh}"),
    ("count: pull_request needs --change NAME, so attempts count over all changes",
     "count: pull_request 需要用 --change 指明拉取请求，未指明时跨全部变更计数"),
    (rf"the ledger is damaged: {_LAST}", "台账已损坏：{0}"),
    (rf"attempts used up: (\d+) of (\d+) on {_ANY}, this is number (\d+)",
     "尝试次数已用完：对 {2} 已尝试 {0} / {1} 次，这是第 {3} 次"),
    ("no attempt was recorded before it ran", "执行之前没有登记尝试"),
    (rf"nothing can be counted: {_LAST}", "无法计数：{0}"),
    (r"looked at (\d+) times, (\d+) are allowed", "已查看 {0} 次，允许 {1} 次"),
    (rf"{_ANY}: (looked at \d+ times, \d+ are allowed)", "{0}：{1:zh}"),
    (rf"{_ANY}: (\d+) of (\d+) looks", "{0}：已查看 {1} / {2} 次"),
    # what is not shown
    ("on_inconclusive: warn lets it through", "策略设为 on_inconclusive: warn，无法判定时也放行"),
    ("its rule is a warning", "策略把该规则设为警告"),
    ("neither shown to be within its margin nor to be worse",
     "既不能证明没有超过允许幅度，也不能证明超过"),
    ("there is nothing at base to compare it with", "基线中没有可比较的对象"),
    ("the bound says inconclusive", "按置信限无法判定，按实测值通过"),
    ("the bound says failed", "按置信限未通过，按实测值通过"),
    ("how often the judge errs is not known, so it is not in this bound",
     "裁判模型的出错率未知，置信限中没有计入"),
    # what would newly pass
    (rf"{_ANY} \(no longer asked\)", "{0}（不再要求）"),
    (rf"{_ANY}: (\d+) more cases", "{0}：另有 {1} 个用例"),
    (r"(\S+/\S+) case (\S+)", "{0} 的用例 {1}"),
    # comparisons
    (rf"{_ANY} {_NUMBER} is worse than base by more than {_NUMBER} "
     rf"\(base {_NUMBER}, paired difference {_NUMBER}, n = {_NUMBER}\)",
     "{0} 为 {1}，比基线变差超过 {2}（基线 {3}，配对差值 {4}，n = {5}）"),
    (rf"{_ANY} {_NUMBER} is worse than base by more than {_NUMBER} "
     rf"\({_NUMBER}; paired difference {_NUMBER}, n = {_NUMBER}\)",
     "{0} 为 {1}，比基线变差超过 {2}（基线 {3}，配对差值 {4}，n = {5}）"),
    (rf"{_ANY} {_NUMBER} is not worse than base by more than {_NUMBER} "
     rf"\(base {_NUMBER}, paired difference {_NUMBER}, n = {_NUMBER}\)",
     "{0} 为 {1}，比基线变差未超过 {2}（基线 {3}，配对差值 {4}，n = {5}）"),
    (rf"{_ANY} {_NUMBER} is not shown to be within {_NUMBER} of base, nor to be worse "
     rf"\(base {_NUMBER}, paired difference {_NUMBER}, n = {_NUMBER}\)",
     "{0} 为 {1}，既不能证明与基线相差不超过 {2}，也不能证明变差"
     "（基线 {3}，配对差值 {4}，n = {5}）"),
    (rf"not compared: base has no {_LAST}", "未比较：基线中没有 {0}"),
    (rf"base's target: {_LAST}", "基线的被测对象：{0:zh}"),
    ("base and head did not answer the same cases", "基线与本版本回答的不是同一组用例"),
    # evidence
    (rf"no evidence for {_ANY} \({_LAST}\)", "缺少 {0} 的证据（{1}）"),
    (r"no evidence for (\S+)", "缺少 {0} 的证据"),
    (rf"{_ANY} judged (\d+) cases, (\d+) were planned", "{0} 只判定了 {1} 个用例，计划为 {2} 个"),
    ("no Evaluation judges this tree", "没有任何评测对此版本作出判定"),
    ("nothing judges this tree: no Evaluation, SafetyTest or guardrail test",
     "没有任何评测、安全测试或护栏测试对此版本作出判定"),
    (rf"nothing judges this tree: {_ANY} selects nothing that does",
     "没有任何门禁对此版本作出判定：{0} 没有选中任何门禁"),
    ("nothing judges this tree: no bound decides", "没有任何设有限值的门禁对此版本作出判定"),
    (r"(\d+) findings? of severity (\w+) or worse: (.+) \((\d+) detectors, (\d+) cases looked at\)",
     "有 {0} 项严重程度为{1:zh}或以上的发现：{2}（{3} 个检测器，共测试 {4} 个用例）"),
    (r"nothing of severity (\w+) or worse(?:, (\d+) below it)? "
     r"\((\d+) detectors, (\d+) cases looked at\)",
     "没有严重程度为{0:zh}或以上的发现（{2} 个检测器，共测试 {3} 个用例）"),
    ("high", "“高”"),
    ("medium", "“中”"),
    ("low", "“低”"),
    (r"(\S+): (\d+ findings? of severity .+)", "{0}：{1:zh}"),
    (r"(\S+): (nothing of severity .+)", "{0}：{1:zh}"),
    (r"(\S+): (each of \d+ classes .+)", "{0}：{1:zh}"),
    (r"(\S+): ((?:no evidence for|the scan's findings) .+)", "{0}：{1:zh}"),
    (r"(\S+): (\S+ (?:has no line|met \d|looked at no case).*)", "{0}：{1:zh}"),
    (r"(\S+): (\d+ of \d+ (?:classes|rows) .+)", "{0}：{1:zh}"),
    (r"each of (\d+) classes has at least (\d+) rows", "{0} 个类别各有至少 {1} 行"),
    (r"(\d+) of (\d+) classes have fewer than (\d+) rows: (.+)",
     "{1} 个类别中有 {0} 个不足 {2} 行：{3}"),
    (r"(\d+) of (\d+) rows have no class in column (.+)", "{1} 行中有 {0} 行在列 {2} 中没有类别"),
    (r"(\S+) has no line", "{0} 没有记录"),
    (r"(\S+)'s line is damaged", "{0} 的记录已损坏"),
    (r"(\S+) met (\d+) errors in (\d+) cases", "{0} 在 {2} 个用例中出错 {1} 次"),
    (r"(\S+) looked at no case", "{0} 没有测到用例"),
    ("the scan's findings are absent or damaged", "扫描的发现记录缺失或损坏"),
    (rf"no Evaluation with a bound has {_ANY} as its target",
     "没有以 {0} 为被测对象且设有限值的评测"),
    (rf"no (\S+) with a bound has {_ANY} as its target", "没有以 {1} 为被测对象且设有限值的 {0}"),
    (rf"no Evaluation has {_ANY} as its target", "没有以 {0} 为被测对象的评测"),
    (rf"no (\S+) has {_ANY} as its target", "没有以 {1} 为被测对象的 {0}"),
    (r"no (\S+) judges anything", "没有任何 {0} 作出判定"),
    (r"(\S+) has no Guardrail", "{0} 没有护栏"),
    (r"(\S+) of (\S+) has no test", "{1} 的 {0} 没有测试"),
    (r"no (\S+) is declared", "没有声明 {0}"),
    (rf"(\S+): (\w+) failed: {_LAST}", "{0}：{1} 出错：{2}"),
    (r"scan: (\w+) looked at no case", "扫描：{0} 没有检查任何用例"),
    (r"scan: (\w+) met (\d+) errors in (\d+) cases", "扫描：{0} 在 {2} 个用例中出错 {1} 次"),
    (rf"base's specs cannot be read, nor its gates applied: {_LAST}",
     "无法读取基线的规格，因而无法适用其门禁：{0}"),
    (rf"(\S+/\S+) failed: {_LAST}", "{0} 结果不合格：{1:zh}"),
    (r"loss is not finite at step (\d+)", "第 {0} 步的损失不是有限数"),
    (r"gradient is not finite at step (\d+)", "第 {0} 步的梯度不是有限数"),
    (rf"(\d+) of (\d+) pieces of evidence (?:is|are) older than {_NUMBER} days?: {_LAST}",
     "{1} 份证据中有 {0} 份超过 {2} 天：{3}"),
    (rf"(\d+) of (\d+) pieces of evidence (?:is|are) without a day on which it was made: {_LAST}",
     "{1} 份证据中有 {0} 份没有生成日期：{2}"),
    (rf"the oldest of (\d+) pieces of evidence is {_NUMBER} days old",
     "{0} 份证据中最早的已有 {1} 天"),
    (rf"(\d+) of (\d+) rows of {_ANY} (?:is|are) among what {_ANY} learned from: {_LAST}",
     "{2} 的 {1} 行中有 {0} 行在 {3} 的训练数据中：{4}"),
    (rf"what {_ANY} learned from is not kept, so nobody can tell what it knows",
     "没有保存 {0} 的训练数据摘要，无法得知它见过哪些内容"),
    ("what is asked is not kept, so nobody can tell whether the target knows it",
     "没有保存所提问题的摘要，无法得知被测对象是否见过"),
    (r"at least (\S+) of (\S+) (\S+) used by this change; not known for (\d+) jobs?",
     "本次变更至少已使用 {0} {2}，预算为 {1} {2}；另有 {3} 个任务的用量未知"),
    # rules on specs
    (rf"{_ANY} has licence {_ANY}, which the policy denies", "{0} 的许可证为 {1}，策略禁止使用"),
    (rf"{_ANY} has licence {_ANY}; allowed are {_LAST}", "{0} 的许可证为 {1}，策略只允许 {2}"),
    (rf"{_ANY} has no licence; allowed are {_LAST}", "{0} 没有声明许可证，策略只允许 {1}"),
    (rf"{_ANY} has no owner", "{0} 没有负责人"),
    (rf'{_ANY}: owner "{_ANY}" is not in CODEOWNERS', "{0} 的负责人“{1}”不在 CODEOWNERS 中"),
    (rf"{_ANY}: {_ANY} has no digest", "{0}：{1} 没有摘要值"),
    (rf"{_ANY} is below the minimum {_LAST}", "{0} 低于下限 {1}"),
    (rf"{_ANY} is above the maximum {_LAST}", "{0} 高于上限 {1}"),
    (rf"{_ANY} sends {_ANY} \({_STAYS}\) to {_ANY}, {_PLACE}",
     "{0} 将 {1}（{2:zh}）发送至 {3}（{4:zh}）"),
    (rf"{_ANY} routes what is like {_ANY} \({_STAYS}\) to {_ANY}, {_PLACE}",
     "{0} 会把与 {1}（{2:zh}）同类的请求转给 {3}（{4:zh}）"),
    (rf"{_ANY} routes personal data of {_ANY} to {_ANY}, {_PLACE}",
     "{0} 会把 {1} 用户的个人信息转给 {2}（{3:zh}）"),
    (rf"jobs read {_ANY} \({_STAYS}\) in {_ANY}, {_PLACE}",
     "任务在 {2}（{3:zh}）读取 {0}（{1:zh}）"),
    (rf"{_ANY} takes {_ANY}, made from {_ANY} \({_STAYS}\), to {_ANY}, {_PLACE}",
     "{0} 将由 {2}（{3:zh}）训练得到的 {1} 发布到 {4}（{5:zh}）"),
    (rf"(?:public, |internal, )?stays in {_LAST}", "须留在 {0}"),
    (rf"personal, stays in {_LAST}", "个人信息，须留在 {0}"),
    (rf"special, stays in {_LAST}", "敏感信息，须留在 {0}"),
    ("served in an unnamed place", "位置不明"),
    ("which names no residency", "未声明所在地"),
    (rf"(?:served|which stands) in {_LAST}", "位于 {0}"),
    (rf"{_ANY} routes requests to {_ANY}, which nothing measures",
     "{0} 会把请求转给 {1}，而它未经任何评测"),
    (rf'{_ANY} asks for the secret "{_ANY}", which {_ANY} does not list',
     "{0} 需要密钥“{1}”，而 {2} 没有列出它"),
    (rf"{_ANY}: api_key is not a secret's name", "{0}：api_key 不是密钥的名称"),
    (r"(\S+) of (\S+) (\S+) used by this change", "本次变更已使用 {0} {2}，预算为 {1} {2}"),
    # loosened
    (rf"loosened, and base's policy asks for no approval: {_LAST}",
     "放宽了要求，而基线策略未要求审批：{0:zh}"),
    (rf"loosened: (.+); has {_LAST}", "放宽了要求：{0:zh}；{1:zh}"),
    (rf"(\d+) of (\d+) approvals from {_ANY} \({_ANY}\) and {_LAST}",
     "{2} 的审批（{3}）已有 {0} / {1} 份，{4:zh}"),
    (rf"(\d+) of (\d+) approvals from {_ANY} \({_LAST}\)", "{2} 的审批（{3}）已有 {0} / {1} 份"),
    (rf"(\d+) of (\d+) approvals from {_LAST}", "{2} 的审批已有 {0} / {1} 份"),
    (r"regression margin (\S+)", "退步幅度 {0}"),
    ("no regression", "不再与基线比较"),
    (r"gap max (\S+)", "差距上限 {0}"),
    ("no gap", "不再限制差距"),
    (r"statistic (p\d+|None)", "统计量 {0}"),
    ("removed", "已删除"),
    ("declared", "已声明"),
    ("applies", "适用"),
    ("no longer applies", "不再适用"),
    ("its target is gone", "被测对象已不存在"),
    (r"judges (\S+)", "判定 {0}"),
    ("Environment in use", "所用环境"),
    ("none without --env", "未指定 --env 时没有环境"),
    ("any place", "任何地点"),
    (r"regression: higher is better", "与基线比较：越高越好"),
    (r"regression: lower is better", "与基线比较：越低越好"),
    ("higher is better", "越高越好"),
    ("lower is better", "越低越好"),
    # hints
    (r"about (\S+) more cases would decide", "约再增加 {0} 个用例即可判定"),
    ("no number of cases will show this at the observed rate",
     "按目前观察到的比率，增加用例也无法证明"),
    # notes
    ("no base: head's own policies judged it", "没有基线，由本版本自身的策略判定"),
    ("no policy at base", "基线中没有策略"),
    (rf"partial: only {_ANY} was judged \({_ANY}\)", "部分判定：仅判定了 {0}（{1}）"),
    # plans
    ("no evidence yet", "尚无证据"),
    ("no input changed", "输入没有变化"),
    ("has evidence", "已有证据"),
    (rf"has evidence \({_LAST}\)", "已有证据（{0:zh}）"),
    (rf"failed already: {_LAST}", "此前结果不合格：{0:zh}"),
    (rf"{_ANY} is gone from the store", "{0} 已不在存储中"),
    (rf"cannot run: {_LAST}", "无法执行：{0:zh}"),
    ("what follows from it has evidence", "后续任务已有证据"),
    ("no gate needs it", "没有门禁需要此任务"),
    ("base's target, to compare with", "基线的被测对象，用于比较"),
    (rf"base's target, to compare with, {_LAST}", "基线的被测对象，用于比较；{0:zh}"),
    (r"follows (\S+) \(job (\d+)\)", "随 {0}（任务 {1}）执行"),
    (r"follows (\S+)", "随 {0} 执行"),
    (r"(\w+/\S+) added", "新增 {0}"),
    (r"(\w+/\S+) removed", "删除 {0}"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), template) for pattern, template in _SENTENCES)
_LONGEST = 800  # beyond it a sentence is somebody else's text


@lru_cache(maxsize=4096)
def chinese(text: str) -> str:
    """The sentence in Chinese, or as it is where its form is not known."""
    if len(text) > _LONGEST:
        return text
    for pattern, template in _PATTERNS:
        found = pattern.fullmatch(text)
        if found:
            return template.format(*map(_Part, found.groups()))
    return _listed(text)


def _listed(text: str) -> str:
    """A list whose members are known, each said; `a -> b` and `a; b` likewise."""
    for between, joined in (("; ", "；"), (", ", "，")):
        parts = text.split(between)
        if 1 < len(parts) <= 40:
            said = [chinese(part) for part in parts]
            return joined.join(said) if said != parts else text
    return text


def known(text: str) -> bool:
    """Whether a sentence has a form that is said in Chinese."""
    return chinese(text) != text
