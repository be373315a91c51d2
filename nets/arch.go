package nets

import (
	"fmt"
	"slices"
	"strings"

	"earshot/nets/nn"
)

const (
	wang2017  = "Wang, Yan, Oates: Time series classification from scratch with deep neural networks: a strong baseline, IJCNN 2017"
	lstm1997  = "Hochreiter, Schmidhuber: Long short-term memory, Neural Computation 9(8), 1997"
	mlp1986   = "Rumelhart, Hinton, Williams: Learning representations by back-propagating errors, Nature 323, 1986"
	fawaz2020 = "Ismail Fawaz et al.: InceptionTime: finding AlexNet for time series classification, DMKD 34, 2020"
)

// All lists every network in every profile.
var All = []nn.Arch{
	{Name: "fcn", Profile: "tsai", Paper: wang2017, Build: FCN{Kernels: [3]int{7, 5, 3}}.Build, Rules: nn.Tsai},
	{Name: "fcn", Profile: "paper", Paper: wang2017, Build: FCN{Kernels: [3]int{8, 5, 3}}.Build, Rules: nn.Keras},
	{Name: "resnet", Profile: "tsai", Paper: wang2017, Build: ResNet{Kernels: [3]int{7, 5, 3}}.Build, Rules: nn.Tsai},
	{Name: "resnet", Profile: "paper", Paper: wang2017, Build: ResNet{Kernels: [3]int{8, 5, 3}}.Build, Rules: nn.Keras},
	{Name: "lstm", Profile: "tsai", Paper: lstm1997, Build: LSTM{Hidden: 100}.Build, Rules: nn.Tsai},
	{Name: "lstm", Profile: "tsai1", Paper: lstm1997, Build: LSTM{Hidden: 100}.Build, Rules: nn.Tsai1},
	{Name: "lstm", Profile: "paper", Paper: lstm1997, Build: LSTM{Hidden: 100}.Build, Rules: nn.Keras},
	{Name: "inceptiontime", Profile: "tsai", Paper: fawaz2020,
		Build: InceptionTime{Kernels: [3]int{39, 19, 9}}.Build, Rules: nn.Tsai},
	{Name: "inceptiontime", Profile: "paper", Paper: fawaz2020,
		Build: InceptionTime{Kernels: [3]int{40, 20, 10}, ConvsOnly: true}.Build, Rules: nn.Keras},
	MLP{Hidden: []int{100}, Curve: nn.ReLU}.Arch(), // scikit-learn's defaults; train.MLP makes any other
}

// Lookup returns the network of that name in that profile, or in the first of its profiles where profile is empty.
func Lookup(name, profile string) (nn.Arch, error) {
	var names, profiles []string
	for _, a := range All {
		if a.Name == name && (a.Profile == profile || profile == "") {
			return a, nil
		}
		if !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
		if a.Name == name {
			profiles = append(profiles, a.Profile)
		}
	}
	if profiles == nil {
		return nn.Arch{}, fmt.Errorf("nets: %q: unknown network; choose one of %s", name, strings.Join(names, ", "))
	}
	return nn.Arch{}, fmt.Errorf("nets: %s: no profile %q; choose one of %s", name, profile, strings.Join(profiles, ", "))
}
